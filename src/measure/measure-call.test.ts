import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  by,
  type CallPlan,
  type PlannedResponse,
  syntheticCall,
} from "../../test/unit/report/synthetic-call.ts";
import { instant, seededRandom } from "../environment/index.ts";
import { decodeFacts, encodeFacts } from "../timeline/index.ts";
import type { CallRecord } from "./call-record.ts";
import { DOUBT_WORDS } from "./doubts.ts";
import { figuresOf } from "./figures.ts";
import { measureCall } from "./measure-call.ts";

/** What the detector may be off by at the edge of a clean burst. */
const DETECTOR_MS = 3;

const GREETING: PlannedResponse = {
  id: "greeting",
  createdMs: 100,
  firstAudioMs: 120,
  playoutStartedMs: 140,
  playoutEndedMs: 1200,
  speech: [{ fromMs: 150, toMs: 1200 }],
};

const ANSWER: PlannedResponse = {
  id: "answer",
  stoppedMs: 3540,
  createdMs: 3545,
  firstAudioMs: 3700,
  playoutStartedMs: 3720,
  playoutEndedMs: 5600,
  speech: [
    { fromMs: 3750, toMs: 4400 },
    { fromMs: 4900, toMs: 5600 },
  ],
};

const ONE_TURN: CallPlan = {
  endMs: 8000,
  utterances: [{ id: "question", fromMs: 2000, toMs: 3000 }],
  responses: [GREETING, ANSWER],
};

describe("a call with one question", () => {
  const metrics = measureCall(syntheticCall(ONE_TURN));
  const turn = metrics.turns[0];

  it("takes set-up figures from the caller's phases", () => {
    expect(metrics.setup).toMatchObject({
      postDialDelayMs: 50,
      answerTimeMs: 200,
      durationMs: 8000,
      endReason: "bye",
    });
  });

  it("measures the greeting from the 200 OK to the onset heard", () => {
    expectNear(metrics.setup.greetingLatencyMs, 150 + 70);
  });

  it("measures the response latency from the scripted offset to the onset heard", () => {
    expect(turn?.outcome).toBe("answered");
    expectNear(turn?.responseLatencyMs, 3750 + 70 - 3000);
  });

  it("reports what the AI claims beside it", () => {
    expect(turn?.claimedLatencyMs).toBe(160);
  });

  it("splits the latency into parts that add up to the whole exactly", () => {
    const parts = turn?.parts ?? [];
    const truth = {
      networkThere: 30,
      turnDetection: 510,
      model: 160,
      injection: 20,
      leadingSilence: 30,
      delivery: 70,
    };

    expect(parts.flatMap(({ covers }) => covers)).toEqual(Object.keys(truth));
    for (const [index, ms] of Object.values(truth).entries()) {
      expectNear(parts[index]?.ms, ms);
    }
    expect(parts.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(turn?.responseLatencyMs ?? 0, 6);
  });

  it("measures the delay of both directions, by correlation", () => {
    expect(metrics.delays.map(({ heardBy }) => heardBy)).toEqual(["caller", "bot"]);
    expect(Math.abs((metrics.delays[0]?.medianMs ?? 0) - 70)).toBeLessThan(0.05);
    expect(Math.abs((metrics.delays[1]?.medianMs ?? 0) - 30)).toBeLessThan(0.05);
    expect(metrics.delays.map(({ runs }) => runs.length)).toEqual([1, 1]);
    expect(metrics.echoes).toEqual([]);
  });

  it("keeps one answer with a pause of 500 ms one turn of two segments", () => {
    expect(metrics.botTurns).toHaveLength(2);
    expect(metrics.botTurns[1]?.segments).toHaveLength(2);
  });

  it("confirms the script by the audio", () => {
    expect(metrics.callerTurns[0]).toMatchObject({ source: "script", uncertain: false });
  });

  it("finds no talk-over and the ratio of speech", () => {
    expect(metrics.conversation.talkOverMs).toBe(0);
    expect(metrics.conversation.talkRatio).toBeCloseTo((1050 + 650 + 700) / 1000, 1);
    expect(metrics.conversation.agentInterruptions).toBe(0);
  });
});

describe("what is not known", () => {
  it("merges parts without their event and still adds up", () => {
    const { stoppedMs: _, ...answer } = ANSWER;
    const metrics = measureCall(syntheticCall({ ...ONE_TURN, responses: [GREETING, answer] }));
    const turn = metrics.turns[0];

    expect(turn?.parts[0]?.covers).toEqual(["networkThere", "turnDetection", "model"]);
    expect(turn?.claimedLatencyMs).toBeUndefined();
    expect(turn?.parts.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(
      turn?.responseLatencyMs ?? 0,
      6,
    );
  });

  it("measures the same latency of a bot whose inside is unknown", () => {
    const known = measureCall(syntheticCall(ONE_TURN));
    const unknown = measureCall(syntheticCall({ ...ONE_TURN, botKnown: false }));

    expect(unknown.turns[0]?.responseLatencyMs).toBe(known.turns[0]?.responseLatencyMs);
    expect(unknown.turns[0]?.parts).toEqual([]);
    expect(unknown.botTurns).toHaveLength(2);
  });

  it("hears at the bot's socket where the caller is somebody else's", () => {
    const { audio: _, ...record } = syntheticCall(ONE_TURN);
    const metrics = measureCall(record);

    expect(metrics.heardAt).toBe("bot");
    expectNear(metrics.turns[0]?.responseLatencyMs, 750);
    expect(metrics.turns[0]?.parts).toEqual([]);
  });

  it("leaves out heard figures without a recording", () => {
    const metrics = measureCall(syntheticCall({ ...ONE_TURN, withAudio: false }));

    expect(metrics.heardAt).toBeUndefined();
    expect(metrics.setup.greetingLatencyMs).toBeUndefined();
    expect(metrics.setup.answerTimeMs).toBe(200);
  });

  it("finds the caller's turns in the audio where there is no script", () => {
    const record = syntheticCall({ ...ONE_TURN, botKnown: false });
    const metrics = measureCall({
      ...record,
      facts: record.facts.filter(({ kind }) => kind !== "utterance"),
    });

    expect(metrics.callerTurns[0]).toMatchObject({ source: "audio", utteranceId: "heard-1" });
    // Both edges are detected, and those of bursts that start at once are 2.5 ms further out by the
    // definition of an edge (docs/measurements.md).
    expectNear(metrics.turns[0]?.responseLatencyMs, 820 - 2 * 2.5);
  });

  it("flags a turn whose audio contradicts its script", () => {
    const record = syntheticCall(ONE_TURN);
    const metrics = measureCall({
      ...record,
      facts: record.facts.map((fact) =>
        fact.kind === "utterance" ? { ...fact, offsetAt: instant(fact.offsetAt - 100) } : fact,
      ),
    });

    expect(metrics.turns[0]?.uncertain).toBe(true);
    expect(metrics.callerTurns[0]?.audioDisagreementMs?.offset).toBeGreaterThan(90);
  });
});

function heardWith(change: (samples: Int16Array) => void, botKnown = true): CallRecord {
  const record = syntheticCall({ ...ONE_TURN, botKnown });
  if (record.audio === undefined) throw new Error("no recording");
  const right = record.audio.right.slice();
  change(right);
  return { ...record, audio: { ...record.audio, right } };
}

function inNoise(samples: Int16Array): void {
  const random = seededRandom("noise");
  const level = 0.1 * Math.max(...samples.slice(0, 64_000));
  for (const [index, sample] of samples.entries()) {
    samples[index] = sample + level * 2 * (random() - 0.5);
  }
}

describe("an answer whose onset is hard to tell", () => {
  it("is uncertain in noise, says why, and is not counted", () => {
    const metrics = measureCall(heardWith(inNoise, false));
    const latency = figuresOf([metrics]).find(({ id }) => id === "responseLatency");

    expect(metrics.turns[0]).toMatchObject({ uncertain: true, doubt: "wideUncertainty" });
    expect(latency?.values).toEqual([]);
    expect(latency?.discarded).toEqual([{ reason: DOUBT_WORDS.wideUncertainty, count: 1 }]);
  });

  it("is certain in the same noise where the bot's own end was recorded", () => {
    const [turn] = measureCall(heardWith(inNoise)).turns;

    expect(turn).toMatchObject({ uncertain: false });
    expect(turn?.uncertaintyMs).toBeLessThan(60);
  });

  it("is uncertain where its first 100 ms were lost on the way: the methods disagree", () => {
    const record = syntheticCall(ONE_TURN);
    const onsetAt = measureCall(record).turns[0]?.botOnsetAt ?? 0;
    const audio = record.audio;
    if (audio === undefined) throw new Error("no recording");
    const right = audio.right.slice();
    const at = Math.round(((onsetAt - audio.startedAt) * audio.sampleRateHz) / 1000);
    right.fill(0, at - 100, at + audio.sampleRateHz / 10);
    const [turn] = measureCall({ ...record, audio: { ...audio, right } }).turns;

    expect(turn).toMatchObject({ uncertain: true, doubt: "methodsDisagree" });
    expect(turn?.uncertaintyMs).toBeGreaterThan(90);
  });
});

describe("turns", () => {
  it("counts a question that is repeated before any answer as missed", () => {
    const metrics = measureCall(
      syntheticCall({
        ...ONE_TURN,
        utterances: [
          { id: "first", fromMs: 1500, toMs: 1900 },
          { id: "second", fromMs: 2000, toMs: 3000 },
        ],
      }),
    );

    expect(metrics.turns.map(({ outcome }) => outcome)).toEqual(["missed", "answered"]);
    expect(metrics.turns[0]?.roomMs).toBe(100);
  });

  it("gives a negative latency where the bot overlaps the caller's end", () => {
    const early = {
      id: "early",
      createdMs: 2700,
      firstAudioMs: 2720,
      playoutStartedMs: 2740,
      speech: [{ fromMs: 2750, toMs: 4000 }],
    };
    const metrics = measureCall(syntheticCall({ ...ONE_TURN, responses: [GREETING, early] }));

    expectNear(metrics.turns[0]?.responseLatencyMs, -180);
    expect(metrics.conversation.agentInterruptions).toBe(1);
    expectNear(metrics.conversation.talkOverMs, 180);
  });

  it("does not take a late greeting for an answer", () => {
    const greeting = {
      id: "greeting",
      createdMs: 1800,
      playoutStartedMs: 2600,
      speech: [{ fromMs: 2610, toMs: 3400 }],
    };
    const metrics = measureCall(syntheticCall({ ...ONE_TURN, responses: [greeting] }));

    expect(metrics.turns[0]?.outcome).toBe("missed");
    expect(metrics.setup.greetingLatencyMs).toBeUndefined();
  });

  it("reports turns with a tool call apart", () => {
    const metrics = measureCall(
      syntheticCall({
        ...ONE_TURN,
        facts: (at) => [
          by("bot", {
            kind: "toolCall",
            event: "called",
            toolCallId: "t",
            name: "look_up",
            arguments: {},
            at: at(3600),
          }),
        ],
      }),
    );

    expect(metrics.turns[0]).toMatchObject({ withToolCall: true, outcome: "answered" });
    expect(metrics.toolCalls[0]?.outcome).toBe("noWireEffectExpected");
  });

  it("finds dead air after a question without an answer", () => {
    const metrics = measureCall(syntheticCall({ ...ONE_TURN, responses: [GREETING] }));

    expect(metrics.conversation.deadAir).toHaveLength(1);
    expect(metrics.conversation.deadAir[0]?.after).toBe("caller");
    expectNear(metrics.conversation.longestGapMs, 5000);
  });
});

describe("reproducibility", () => {
  it("gives the same figures from the written facts, to the last bit", () => {
    const record = syntheticCall({ ...ONE_TURN, originMs: 987_654.321_987 });

    const live = measureCall(record);
    const again = measureCall(reloaded(record));

    expect(JSON.stringify(again)).toBe(JSON.stringify(live));
  });

  it("gives the same latencies wherever the call lies on the clock", () => {
    const expected = latencies(measureCall(syntheticCall(ONE_TURN)));

    fc.assert(
      fc.property(fc.integer({ min: 10_000_000, max: 4_000_000_000_000 }), (shiftUs) => {
        const moved = measureCall(syntheticCall({ ...ONE_TURN, originMs: shiftUs / 1000 }));
        expect(latencies(moved)).toEqual(expected);
      }),
      { numRuns: 4 },
    );
  });
});

function expectNear(actual: number | undefined, truthMs: number, toleranceMs = DETECTOR_MS): void {
  expect(
    Math.abs((actual ?? Number.NaN) - truthMs),
    `${actual} is not ${truthMs}`,
  ).toBeLessThanOrEqual(toleranceMs);
}

function reloaded(record: CallRecord): CallRecord {
  return { ...record, facts: decodeFacts(encodeFacts(record.facts)) };
}

function latencies(metrics: ReturnType<typeof measureCall>): unknown {
  return [
    metrics.setup.greetingLatencyMs,
    metrics.setup.answerTimeMs,
    metrics.turns.map(({ responseLatencyMs, claimedLatencyMs, parts }) => [
      responseLatencyMs,
      claimedLatencyMs,
      parts.map(({ ms }) => ms),
    ]),
    metrics.conversation.deadAir.map(({ ms }) => ms),
  ];
}
