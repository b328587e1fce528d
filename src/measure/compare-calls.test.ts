import { describe, expect, it } from "vitest";
import { syntheticCall } from "../../test/unit/report/synthetic-call.ts";
import { type Random, seededRandom } from "../environment/index.ts";
import type { CallMetrics, TurnMetrics } from "./call-metrics.ts";
import { type Change, type ComparedCall, compareCalls } from "./compare-calls.ts";
import { measureCall } from "./measure-call.ts";

const EMPTY: CallMetrics = measureCall(
  syntheticCall({
    endMs: 3000,
    utterances: [{ id: "q", fromMs: 500, toMs: 1500 }],
    responses: [],
  }),
);
const MISSED = EMPTY.turns[0] as TurnMetrics;

/** A call with one answered turn per latency, NaN for a missed one. */
function call(scenario: string, latenciesMs: readonly number[]): ComparedCall {
  const turns = latenciesMs.map(
    (ms): TurnMetrics =>
      Number.isNaN(ms) ? MISSED : { ...MISSED, outcome: "answered", responseLatencyMs: ms },
  );
  return { scenario, metrics: { ...EMPTY, turns } };
}

/** Calls whose turns resemble each other: each call has a pace of its own. */
function calls(count: number, medianMs: number, random: Random): ComparedCall[] {
  return Array.from({ length: count }, () => {
    const pace = medianMs + 300 * (random() - 0.5);
    return call(
      "s",
      Array.from({ length: 6 }, () => pace + 40 * (random() - 0.5)),
    );
  });
}

function alike(ms: number): ComparedCall[] {
  return Array.from({ length: 20 }, (_, index) => call("s", [ms + index / 100]));
}

function someMissed(missedOf20: number): ComparedCall[] {
  return Array.from({ length: 20 }, (_, index) =>
    call("s", [index < missedOf20 ? Number.NaN : 800]),
  );
}

function changeOf(changes: readonly Change[], id: string, statistic: string): Change | undefined {
  return changes.find((change) => change.id === id && change.statistic === statistic);
}

function medianChange(a: readonly ComparedCall[], b: readonly ComparedCall[]): Change | undefined {
  return changeOf(compareCalls(a, b, seededRandom("test")), "responseLatency", "p50");
}

describe("compareCalls", () => {
  it("finds a true difference of 200 ms, with an interval that contains it", () => {
    const random = seededRandom("shift");
    const change = medianChange(calls(20, 900, random), calls(20, 1100, random));

    expect(change?.verdict).toBe("rose");
    expect(change?.n).toEqual({ a: 120, b: 120 });
    expect(change?.interval?.low).toBeLessThan(200);
    expect(change?.interval?.high).toBeGreaterThan(200);
    expect(change?.interval?.low).toBeGreaterThan(0);
  });

  it("calls nothing a change where there is none, however alike turns of one call are", () => {
    const random = seededRandom("null");
    const verdicts = Array.from({ length: 20 }, () =>
      compareCalls(calls(8, 900, random), calls(8, 900, random), random).some(
        ({ verdict }) => verdict === "rose" || verdict === "fell",
      ),
    );

    // 5 % of comparisons may be wrong, over all their figures together: 1 of 20 on average.
    expect(verdicts.filter(Boolean).length).toBeLessThanOrEqual(3);
  });

  it("does not mistake the difference between scenarios for noise", () => {
    const random = seededRandom("scenarios");
    const run = (extraMs: number): ComparedCall[] =>
      Array.from({ length: 14 }, (_, index) =>
        call(`scenario ${index}`, [300 * index + extraMs + 10 * random()]),
      );

    expect(medianChange(run(500), run(560))?.verdict).toBe("rose");
  });

  it("says so where there are too few calls, whatever the difference", () => {
    const change = medianChange([call("s", [500, 501, 502])], [call("s", [5000, 5001, 5002])]);

    expect(change).toMatchObject({ verdict: "tooFew", difference: 4500 });
    expect(change?.pValue).toBeUndefined();
  });

  it("makes no finding of less than the measurement's own error", () => {
    expect(medianChange(alike(800), alike(802))?.verdict).toBe("tooSmall");
    expect(medianChange(alike(800), alike(810))?.verdict).toBe("rose");
  });

  it("compares rates too: answers that stop coming", () => {
    const changes = compareCalls(someMissed(0), someMissed(12), seededRandom("rates"));

    expect(changeOf(changes, "answered", "mean")).toMatchObject({
      a: 1,
      b: 0.4,
      verdict: "fell",
      moreIsBetter: true,
    });
  });

  it("leaves out scenarios that only one side has", () => {
    const change = medianChange([call("s", [800]), call("old", [9000])], [call("s", [800])]);

    expect(change).toMatchObject({ a: 800, b: 800, n: { a: 1, b: 1 } });
  });

  it("has nothing to say of nothing, and repeats with its seed", () => {
    expect(compareCalls([], [], seededRandom(1))).toEqual([]);
    const random = seededRandom("repeat");
    const [a, b] = [calls(10, 900, random), calls(10, 950, random)];
    expect(compareCalls(a, b, seededRandom(1))).toEqual(compareCalls(a, b, seededRandom(1)));
  });
});
