import { describe, expect, it } from "vitest";
import {
  by,
  type CallPlan,
  type PlannedResponse,
  syntheticCall,
} from "../../test/unit/report/synthetic-call.ts";
import { measureCall } from "./measure-call.ts";

/** What the detector may be off by at the edge of a clean burst. */
const DETECTOR_MS = 3;

/** The bot talks from 500 ms; the caller breaks in at 3,000 ms; heard is 70 ms after sent. */
const LONG: PlannedResponse = {
  id: "long",
  createdMs: 440,
  firstAudioMs: 450,
  playoutStartedMs: 480,
  speech: [{ fromMs: 500, toMs: 3350 }],
  flushedMs: 3350,
};
const ANSWER: PlannedResponse = {
  id: "answer",
  stoppedMs: 4500,
  createdMs: 4510,
  firstAudioMs: 4600,
  playoutStartedMs: 4620,
  speech: [{ fromMs: 4630, toMs: 5600 }],
};
const INTERRUPTED: CallPlan = {
  endMs: 8000,
  utterances: [{ id: "excuse-me", fromMs: 3000, toMs: 4000, purpose: "interruption" }],
  responses: [LONG, ANSWER],
  facts: (at) => [
    by("bot", { kind: "aiCallerSpeech", event: "started", audioMs: 3200, at: at(3300) }),
  ],
};

function cutAt(ms: number): ReturnType<typeof measureCall>["conversation"] {
  const facts: CallPlan["facts"] = (at) => [
    by("bot", {
      kind: "interruption",
      responseId: "long",
      playedMs: 1000,
      truncationSent: true,
      at: at(ms),
    }),
  ];
  return measureCall(syntheticCall({ ...INTERRUPTED, facts })).conversation;
}

describe("interruptions of the bot", () => {
  it.each([
    [3100, 0],
    [3900, 0],
    [4600, 0],
    [4800, 1],
    [2900, 1],
  ])("at %i ms are false %i times, where the caller spoke from 3000 to 4000", (ms, times) => {
    expect(cutAt(ms)).toMatchObject({ botInterrupted: 1, falseInterruptions: times });
  });

  it("are not counted where there were none", () => {
    expect(measureCall(syntheticCall(INTERRUPTED)).conversation).not.toHaveProperty(
      "falseInterruptions",
    );
  });
});

describe("an interruption", () => {
  it("measures the stop at the caller's ear, in parts that add up", () => {
    const bargeIn = bargeInOf(INTERRUPTED);

    expect(bargeIn?.outcome).toBe("yielded");
    expectNear(bargeIn?.stopLatencyMs, 3350 + 70 - 3000);
    expect(bargeIn?.parts.map(({ covers }) => covers.join("+"))).toEqual([
      "detection",
      "flush",
      "tail",
    ]);
  });

  it("splits the stop into detection, flush and tail, which add up", () => {
    const bargeIn = bargeInOf(INTERRUPTED);

    expect(bargeIn?.parts[0]?.ms).toBe(300);
    expectNear(bargeIn?.parts[1]?.ms, 50);
    expectNear(bargeIn?.parts[2]?.ms, 70);
    expect(bargeIn?.parts.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(
      bargeIn?.stopLatencyMs ?? 0,
      6,
    );
    expect(bargeIn?.staleSpeechMs).toBe(0);
  });

  it("measures the new answer from the end of the interruption", () => {
    expectNear(bargeInOf(INTERRUPTED)?.responseLatencyMs, 4630 + 70 - 4000);
  });

  it("tells stale speech from the stop", () => {
    const stale = { ...LONG, speech: [...LONG.speech, { fromMs: 3650, toMs: 3850 }] };
    const bargeIn = bargeInOf({ ...INTERRUPTED, responses: [stale, ANSWER] });

    expectNear(bargeIn?.stopLatencyMs, 420);
    expectNear(bargeIn?.staleSpeechMs, 200, 2 * DETECTOR_MS);
    expectNear(bargeIn?.responseLatencyMs, 700);
  });

  it("is not fooled by a pause before the flush", () => {
    const pausing = {
      ...LONG,
      speech: [
        { fromMs: 500, toMs: 3050 },
        { fromMs: 3250, toMs: 3350 },
      ],
    };

    expectNear(bargeInOf({ ...INTERRUPTED, responses: [pausing, ANSWER] })?.stopLatencyMs, 420);
  });

  it("is no yield where the bot talks on for more than 2.0 s", () => {
    const stubborn = { ...LONG, speech: [{ fromMs: 500, toMs: 5100 }], flushedMs: 5100 };
    const bargeIn = bargeInOf({ ...INTERRUPTED, responses: [stubborn] });

    expect(bargeIn?.outcome).toBe("noYield");
    expectNear(bargeIn?.stopLatencyMs, 2170);
  });

  it("is no yield where the bot says all it had, and late", () => {
    const { flushedMs: _, ...deaf } = {
      ...LONG,
      speech: [{ fromMs: 500, toMs: 6000 }],
      playoutEndedMs: 6000,
    };

    expect(bargeInOf({ ...INTERRUPTED, responses: [deaf] })?.outcome).toBe("noYield");
  });

  it("does not count where the bot happened to have finished", () => {
    const { flushedMs: _, ...finished } = { ...LONG, playoutEndedMs: 3350 };

    expect(bargeInOf({ ...INTERRUPTED, responses: [finished] })?.outcome).toBe("finished");
  });

  it("does not count where the bot was silent", () => {
    const short = { ...LONG, speech: [{ fromMs: 500, toMs: 2000 }] };

    expect(bargeInOf({ ...INTERRUPTED, responses: [short, ANSWER] })?.outcome).toBe("notSpeaking");
  });

  it("measures the same stop of a bot whose inside is unknown, without parts", () => {
    const bargeIn = bargeInOf({ ...INTERRUPTED, botKnown: false });

    expect(bargeIn).toMatchObject({ outcome: "yielded", uncertain: false, parts: [] });
    expectNear(bargeIn?.stopLatencyMs, 420);
    expect(bargeIn?.staleSpeechMs).toBeUndefined();
  });
});

describe("a backchannel", () => {
  const hum = { id: "mm-hmm", fromMs: 2000, toMs: 2350, purpose: "backchannel" as const };
  const talking: CallPlan = { ...INTERRUPTED, utterances: [hum] };

  it("is passed where the bot keeps talking", () => {
    expect(backchannelOf(talking)).toMatchObject({ outcome: "keptTalking", uncertain: false });
  });

  it("is an error where the bot stops within 1.0 s", () => {
    const jumpy = { ...LONG, speech: [{ fromMs: 500, toMs: 2400 }], flushedMs: 2400 };
    const backchannel = backchannelOf({ ...talking, responses: [jumpy] });

    expect(backchannel?.outcome).toBe("falseStop");
    expectNear(backchannel?.stopLatencyMs, 470);
  });

  it("is no error where the bot pauses between sentences of a response", () => {
    const pausing = {
      ...LONG,
      speech: [
        { fromMs: 500, toMs: 2400 },
        { fromMs: 3000, toMs: 3350 },
      ],
    };

    expect(backchannelOf({ ...talking, responses: [pausing] })?.outcome).toBe("keptTalking");
  });

  it("is uncertain where a pause of an unknown bot may be a stop", () => {
    const pausing = {
      ...LONG,
      speech: [
        { fromMs: 500, toMs: 2400 },
        { fromMs: 3000, toMs: 3350 },
      ],
    };
    const backchannel = backchannelOf({ ...talking, responses: [pausing], botKnown: false });

    expect(backchannel).toMatchObject({ outcome: "falseStop", uncertain: true });
  });

  it.each(["vocalTic", "sideSpeech"] as const)("may as well be a %s", (purpose) => {
    const other = { ...talking, utterances: [{ ...hum, purpose }] };
    expect(backchannelOf(other)).toMatchObject({ purpose, outcome: "keptTalking" });
    const jumpy = { ...LONG, speech: [{ fromMs: 500, toMs: 2400 }], flushedMs: 2400 };
    expect(backchannelOf({ ...other, responses: [jumpy] })?.outcome).toBe("falseStop");
    expect(measureCall(syntheticCall(other)).turns).toEqual([]);
  });

  it("needs no answer", () => {
    expect(measureCall(syntheticCall(talking)).turns).toEqual([]);
  });
});

describe("words for somebody else while the bot is silent", () => {
  const aside = { id: "aside", fromMs: 7000, toMs: 8000, purpose: "sideSpeech" as const };
  const first = {
    id: "r1",
    createdMs: 300,
    playoutStartedMs: 480,
    speech: [{ fromMs: 500, toMs: 2400 }],
  };
  const answer = {
    id: "r2",
    createdMs: 9200,
    playoutStartedMs: 9480,
    speech: [{ fromMs: 9500, toMs: 11_000 }],
  };

  it("are ignored by a bot that says nothing within 2.0 s of their end", () => {
    const plan = { ...INTERRUPTED, utterances: [aside], responses: [first] };
    expect(backchannelOf({ ...plan, endMs: 13_000 })?.outcome).toBe("ignored");
    const late = { ...answer, speech: [{ fromMs: 10_200, toMs: 11_000 }] };
    expect(backchannelOf({ ...plan, responses: [first, late], endMs: 13_000 })?.outcome).toBe(
      "ignored",
    );
  });

  it("are an error where it takes them for its own", () => {
    const plan = { ...INTERRUPTED, utterances: [aside], responses: [first, answer] };
    expect(backchannelOf({ ...plan, endMs: 13_000 })).toMatchObject({
      purpose: "sideSpeech",
      outcome: "answered",
    });
  });
});

function bargeInOf(plan: CallPlan): ReturnType<typeof measureCall>["bargeIns"][number] | undefined {
  return measureCall(syntheticCall(plan)).bargeIns[0];
}

function backchannelOf(
  plan: CallPlan,
): ReturnType<typeof measureCall>["backchannels"][number] | undefined {
  return measureCall(syntheticCall(plan)).backchannels[0];
}

function expectNear(actual: number | undefined, truthMs: number, toleranceMs = DETECTOR_MS): void {
  expect(
    Math.abs((actual ?? Number.NaN) - truthMs),
    `${actual} is not ${truthMs}`,
  ).toBeLessThanOrEqual(toleranceMs);
}
