import { describe, expect, it } from "vitest";
import { type CallPlan, syntheticCall } from "../../test/unit/report/synthetic-call.ts";
import { instant, seededRandom } from "../environment/index.ts";
import type { CallMetrics } from "./call-metrics.ts";
import type { CallRecord } from "./call-record.ts";
import { confirmed } from "./confirmed-pieces.ts";
import type { DelayMetrics } from "./delay-metrics.ts";
import { DOUBT_WORDS } from "./doubts.ts";
import { figuresOf } from "./figures.ts";
import { measureCall } from "./measure-call.ts";
import type { SpeechSpan } from "./recording.ts";

const ONSET_MS = 3750;
const HEARD_LATER_MS = 70;
const PLAN: CallPlan = {
  endMs: 9000,
  utterances: [{ id: "question", fromMs: 2000, toMs: 3000 }],
  responses: [
    {
      id: "answer",
      stoppedMs: 3540,
      createdMs: 3545,
      firstAudioMs: 3700,
      playoutStartedMs: 3720,
      playoutEndedMs: 5600,
      speech: [{ fromMs: ONSET_MS, toMs: 5600 }],
    },
  ],
};
const LATENCY_MS = ONSET_MS + HEARD_LATER_MS - 3000;

/** The call with something done to what the caller heard. */
function heardAs(change: (heard: Int16Array) => void): CallMetrics {
  const record = syntheticCall(PLAN);
  const { audio } = record;
  if (audio === undefined) throw new Error("the call was recorded");
  const right = audio.right.slice();
  change(right);
  return measureCall({ ...record, audio: { ...audio, right } } satisfies CallRecord);
}

describe("an onset that is both detected and located", () => {
  it("is certain where both agree, and nothing is changed by less than the error", () => {
    const [turn] = heardAs(() => {}).turns;

    expect(turn?.uncertain).toBe(false);
    expect(turn?.botOnsetDisagreementMs).toBeUndefined();
    expect(Math.abs((turn?.responseLatencyMs ?? 0) - LATENCY_MS)).toBeLessThan(3);
  });

  it("makes the turn uncertain where the caller did not hear how the answer began", () => {
    const lostMs = 160;
    const metrics = heardAs((heard) => {
      heard.fill(0, (ONSET_MS + HEARD_LATER_MS) * 8, (ONSET_MS + HEARD_LATER_MS + lostMs) * 8);
    });
    const [turn] = metrics.turns;

    expect(turn?.uncertain).toBe(true);
    expect(Math.abs((turn?.botOnsetDisagreementMs ?? 0) - lostMs)).toBeLessThan(5);
    // What was heard stays the figure; it does not count.
    expect(Math.abs((turn?.responseLatencyMs ?? 0) - LATENCY_MS - lostMs)).toBeLessThan(5);
    const figure = figuresOf([metrics]).find(({ id }) => id === "responseLatency");
    expect(figure?.values).toEqual([]);
    expect(figure?.discarded).toEqual([{ reason: DOUBT_WORDS.methodsDisagree, count: 1 }]);
  });

  it("makes it uncertain, too, where something was heard before the answer", () => {
    const [turn] = heardAs((heard) => {
      const random = seededRandom("knock");
      for (let index = 8 * 3500; index < 8 * (ONSET_MS + HEARD_LATER_MS); index += 1) {
        heard[index] = Math.round(4000 * (random() - 0.5));
      }
    }).turns;

    expect(turn?.uncertain).toBe(true);
    expect(turn?.botOnsetDisagreementMs).toBeLessThan(-200);
  });
});

describe("confirmed", () => {
  const DELAY: DelayMetrics = {
    heardBy: "caller",
    medianMs: 100,
    minMs: 100,
    maxMs: 100,
    uncertaintyMs: 0.1,
    runs: [],
    points: [{ at: instant(1500), delayMs: 100, uncertaintyMs: 0.1, confidence: 40 }],
    unsureWindows: 0,
  };
  const SENT = spanOf(1000, 2000, 2);

  it("takes the more certain edge where both agree within their uncertainties", () => {
    expect(confirmed([spanOf(1150, 2060, 60)], [SENT], DELAY)).toEqual([spanOf(1100, 2100, 2.1)]);
    // Detected to 1 ms: what was heard stays.
    expect(confirmed([spanOf(1103, 2099, 1)], [SENT], DELAY)).toEqual([spanOf(1103, 2099, 1)]);
  });

  it("keeps what was heard where the difference is less than 40 ms, but not explained", () => {
    expect(confirmed([spanOf(1130, 2100, 3)], [SENT], DELAY)).toEqual([
      { ...spanOf(1130, 2100, 3), startAt: 1130, endAt: 2100, uncertaintyMs: 3 },
    ]);
  });

  it("tells by how much an edge contradicts what was sent", () => {
    expect(confirmed([spanOf(1200, 2000, 3)], [SENT], DELAY)).toEqual([
      { ...spanOf(1200, 2000, 3), disagreementMs: { onset: 100, offset: -100 } },
    ]);
  });

  it("says nothing where no delay is known, nor of edges of other sentences", () => {
    const far = spanOf(9000, 9900, 2);
    expect(confirmed([spanOf(9300, 9950, 3)], [far], DELAY)).toEqual([spanOf(9300, 9950, 3)]);
    expect(confirmed([spanOf(4000, 5000, 3)], [SENT], DELAY)).toEqual([spanOf(4000, 5000, 3)]);
    expect(confirmed([spanOf(1200, 2000, 3)], [], DELAY)).toEqual([spanOf(1200, 2000, 3)]);
  });
});

function spanOf(fromMs: number, toMs: number, uncertaintyMs: number): SpeechSpan {
  return { startAt: instant(fromMs), endAt: instant(toMs), uncertaintyMs };
}
