import { describe, expect, it } from "vitest";
import { by, type CallPlan, syntheticCall } from "../../test/unit/report/synthetic-call.ts";
import { instant, seededRandom } from "../environment/index.ts";
import type { CallMetrics } from "./call-metrics.ts";
import { DOUBT_WORDS } from "./doubts.ts";
import { type FigureId, figuresOf } from "./figures.ts";
import { errorBoundMs } from "./instrument-health.ts";
import { measureCall } from "./measure-call.ts";
import { ratesOf } from "./rates.ts";
import { spanBetween } from "./time-spans.ts";

/** A greeting at 700 ms; the caller breaks in at 3,000 ms; it stops at 3,420 ms, and answers at 4,700 ms. */
const PLAN: CallPlan = {
  endMs: 8000,
  utterances: [{ id: "excuse-me", fromMs: 3000, toMs: 4000, purpose: "interruption" }],
  responses: [
    {
      id: "long",
      createdMs: 440,
      firstAudioMs: 450,
      playoutStartedMs: 480,
      speech: [{ fromMs: 630, toMs: 3350 }],
      flushedMs: 3350,
    },
    {
      id: "answer",
      stoppedMs: 4500,
      createdMs: 4510,
      firstAudioMs: 4600,
      playoutStartedMs: 4620,
      speech: [{ fromMs: 4630, toMs: 5600 }],
    },
  ],
};

/** The same call; once a second each end tells that it kept time, but for the caller at `atMs`. */
function unsteadyAt(atMs: number, offMs: number, plan: CallPlan = PLAN): CallMetrics {
  const seconds = Array.from({ length: plan.endMs / 1000 }, (_, index) => 1000 * (index + 1));
  return measureCall(
    syntheticCall({
      ...plan,
      facts: (at) =>
        seconds.flatMap((ms) =>
          (["caller", "bot"] as const).map((party) =>
            by(party, {
              kind: "instrument",
              at: at(ms),
              eventLoopLagMsP99: 1,
              eventLoopLagMsMax: 2,
              departureJitterMsMax: party === "caller" && ms === atMs ? offMs : 1,
            }),
          ),
        ),
    }),
  );
}

/** The same call in noise, only the caller's end recorded. */
function inNoise(plan: CallPlan = PLAN): CallMetrics {
  const { audio, botAudio: _, ...record } = syntheticCall(plan);
  if (audio === undefined) throw new Error("no recording");
  const random = seededRandom("noise");
  const level = 0.1 * Math.max(...audio.right.slice(0, 64_000));
  const right = audio.right.map((sample) => sample + level * 2 * (random() - 0.5));
  return measureCall({ ...record, audio: { ...audio, right } });
}

function figure(id: FigureId, metrics: CallMetrics) {
  const found = figuresOf([metrics]).find((each) => each.id === id);
  return { values: found?.values.length, discarded: found?.discarded };
}

function discarded(doubt: keyof typeof DOUBT_WORDS) {
  return { values: 0, discarded: [{ reason: DOUBT_WORDS[doubt], count: 1 }] };
}

describe("figures while our own ends kept no time", () => {
  it("are not counted where it was while they were taken, and are where it was not", () => {
    const early = unsteadyAt(1000, 150);
    expect(early.setup.greetingCertainty).toMatchObject({ uncertain: true, doubt: "ownTiming" });
    expect(figure("greetingLatency", early)).toEqual(discarded("ownTiming"));
    expect(figure("bargeInStopLatency", early)).toEqual({ values: 1, discarded: [] });

    const middle = unsteadyAt(4000, 150);
    expect(middle.setup.greetingCertainty).toMatchObject({ uncertain: false });
    expect(middle.bargeIns[0]).toMatchObject({ outcome: "yielded", doubt: "ownTiming" });
    expect(figure("bargeInStopLatency", middle)).toEqual(discarded("ownTiming"));
    expect(ratesOf([middle]).find(({ id }) => id === "yielded")).toMatchObject({
      total: 0,
      uncertain: 1,
    });

    const late = unsteadyAt(5000, 150);
    expect(figure("bargeInResponseLatency", late)).toEqual(discarded("ownTiming"));
    expect(figure("bargeInStopLatency", late)).toEqual({ values: 1, discarded: [] });
  });

  it("have the error bar of that time only", () => {
    const metrics = unsteadyAt(4000, 45);
    const begin = metrics.recording?.startedAt ?? instant(0);
    const at = (ms: number) => spanBetween(begin, instant(ms));
    expect(errorBoundMs(metrics)).toBe(45);
    expect(errorBoundMs(metrics, at(begin + 2700))).toBe(20);
    expect(errorBoundMs(metrics, at(begin + 3500))).toBe(45);
    // It counts: the bar is wider, and that is all.
    expect(metrics.bargeIns[0]).toMatchObject({ uncertain: false });
    expect(metrics.bargeIns[0]?.uncertaintyMs).toBeGreaterThan(45);
  });

  it("have the worst of the whole call where folders say no more", () => {
    const { unsteady } = measureCall(
      syntheticCall({
        ...PLAN,
        facts: (at) => [
          by("bot", {
            kind: "instrument",
            at: at(1000),
            eventLoopLagMsP99: 1,
            eventLoopLagMsMax: 30,
          }),
        ],
      }),
    );
    expect(unsteady).toMatchObject([{ party: "bot", offMs: 30 }]);
  });
});

describe("figures of speech that is hard to tell from noise", () => {
  it("are not counted, with the reason", () => {
    const metrics = inNoise();
    expect(metrics.bargeIns[0]).toMatchObject({ uncertain: true, doubt: "wideUncertainty" });
    expect(figure("bargeInStopLatency", metrics)).toEqual(discarded("wideUncertainty"));
    expect(metrics.setup.greetingCertainty).toMatchObject({ doubt: "wideUncertainty" });
    expect(figure("greetingLatency", metrics)).toEqual(discarded("wideUncertainty"));
    expect(figure("bargeInResponseLatency", metrics)).toEqual(discarded("wideUncertainty"));
  });

  it("leave the outcome of a backchannel open only where the limit lies within their bounds", () => {
    const hum = { id: "mm-hmm", fromMs: 2000, toMs: 2350, purpose: "backchannel" as const };
    const stopAt = (ms: number): CallMetrics["backchannels"][number] | undefined => {
      const [long] = PLAN.responses;
      if (long === undefined) throw new Error("no response");
      const stopping = { ...long, speech: [{ fromMs: 630, toMs: ms }], flushedMs: ms };
      return inNoise({ ...PLAN, utterances: [hum], responses: [stopping] }).backchannels[0];
    };
    expect(stopAt(2400)).toMatchObject({ outcome: "falseStop", uncertain: false });
    expect(stopAt(2900)).toMatchObject({ uncertain: true, doubt: "wideUncertainty" });
    expect(stopAt(3800)).toMatchObject({ outcome: "keptTalking", uncertain: false });
  });
});

describe("a stop of a bot whose inside is unknown", () => {
  it("may have been a pause, and says so", () => {
    const [long, answer] = PLAN.responses;
    if (long === undefined || answer === undefined) throw new Error("no responses");
    const soon = { ...answer, speech: [{ fromMs: 4000, toMs: 5600 }] };
    const metrics = measureCall(
      syntheticCall({
        ...PLAN,
        utterances: [{ id: "excuse-me", fromMs: 3000, toMs: 3600, purpose: "interruption" }],
        responses: [long, soon],
        botKnown: false,
      }),
    );
    expect(metrics.bargeIns[0]).toMatchObject({ uncertain: true, doubt: "maybePause" });
    expect(figure("bargeInStopLatency", metrics)).toEqual(discarded("maybePause"));
  });
});

describe("a stop as late as the limit by which it counts", () => {
  it("is uncertain: it may as well be none", () => {
    const [long] = PLAN.responses;
    if (long === undefined) throw new Error("no response");
    const late = { ...long, speech: [{ fromMs: 630, toMs: 4928 }], flushedMs: 4928 };
    const plan = { ...PLAN, responses: [late] };
    expect(measureCall(syntheticCall(plan)).bargeIns[0]).toMatchObject({ doubt: "nearLimit" });
  });
});
