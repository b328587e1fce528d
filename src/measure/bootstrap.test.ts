import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Random, seededRandom } from "../environment/index.ts";
import { bootstrapGroupedQuantiles, bootstrapQuantiles, countedQuantile } from "./bootstrap.ts";
import { quantile } from "./statistics.ts";

/** Latencies as they are: log-normal, median 900 ms. */
function latencies(n: number, random: Random): number[] {
  return Array.from({ length: n }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return 900 * Math.exp(0.3 * normal);
  }).toSorted((a, b) => a - b);
}

/** Calls with a latency of their own (sd 100 ms), whose turns lie within 4 ms of it. */
function callsWithTurns(random: Random): number[][] {
  return Array.from({ length: 12 }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Array.from({ length: 20 }, () => 900 + 100 * normal + 8 * (random() - 0.5));
  });
}

describe("bootstrapQuantiles", () => {
  it("covers the true median and p95 of a known distribution about as often as documented", () => {
    const random = seededRandom("coverage");
    const truth = [900, 900 * Math.exp(0.3 * 1.644_854)];
    const covered = [0, 0];
    for (let sample = 0; sample < 60; sample += 1) {
      const intervals = bootstrapQuantiles(latencies(100, random), [0.5, 0.95], random);
      for (const [index, interval] of intervals.entries()) {
        const value = truth[index] ?? 0;
        if (interval !== undefined && interval.low <= value && value <= interval.high) {
          covered[index] = (covered[index] ?? 0) + 1;
        }
      }
    }

    expect(covered[0]).toBeGreaterThanOrEqual(53);
    expect(covered[1]).toBeGreaterThanOrEqual(49);
    // An interval that always covers would be no interval.
    expect(Math.min(...covered)).toBeLessThan(60);
  });

  it("gives an interval only where the values could reach beyond the quantile", () => {
    const random = seededRandom(1);
    const has = (n: number): boolean[] =>
      bootstrapQuantiles(latencies(n, random), [0.5, 0.95, 0.99], random).map(
        (interval) => interval !== undefined,
      );

    expect(has(5)).toEqual([false, false, false]);
    expect(has(6)).toEqual([true, false, false]);
    expect(has(71)).toEqual([true, false, false]);
    expect(has(72)).toEqual([true, true, false]);
    expect(has(367)).toEqual([true, true, false]);
    expect(has(368)).toEqual([true, true, true]);
  });
});

describe("countedQuantile", () => {
  it("is the quantile of the values written out as often as they are counted", () => {
    const counted = fc.array(fc.tuple(fc.integer(), fc.integer({ min: 0, max: 4 })), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(counted, fc.double({ min: 0, max: 1, noNaN: true }), (pairs, share) => {
        const sorted = pairs.toSorted(([a], [b]) => a - b);
        const written = sorted.flatMap(([value, count]) => Array<number>(count).fill(value));
        const values = sorted.map(([value]) => value);
        const counts = sorted.map(([, count]) => count);

        expect(countedQuantile(values, counts, share)).toEqual(quantile(written, share));
      }),
    );
  });
});

describe("bootstrapGroupedQuantiles", () => {
  it("covers the true median where turns of a call hang together, and single turns do not", () => {
    const random = seededRandom("groups");
    const covered = { groups: 0, turns: 0 };
    for (let sample = 0; sample < 60; sample += 1) {
      const groups = callsWithTurns(random);
      const sorted = groups.flat().toSorted((a, b) => a - b);
      const [byGroup] = bootstrapGroupedQuantiles(groups, [0.5], random);
      const [byTurn] = bootstrapQuantiles(sorted, [0.5], random);
      const holds = (interval: typeof byGroup): number =>
        interval !== undefined && interval.low <= 900 && interval.high >= 900 ? 1 : 0;
      covered.groups += holds(byGroup);
      covered.turns += holds(byTurn);
    }
    expect(covered.groups).toBeGreaterThanOrEqual(52);
    expect(covered.turns).toBeLessThan(42);
  });

  it("has none of fewer than six groups that hold anything, nor of too few values", () => {
    const random = seededRandom("few");
    const five = Array.from({ length: 5 }, () => latencies(40, random));
    expect(bootstrapGroupedQuantiles([...five, []], [0.5], random)).toEqual([undefined]);
    const six = Array.from({ length: 6 }, () => latencies(2, random));
    const [p50, p95] = bootstrapGroupedQuantiles(six, [0.5, 0.95], random);
    expect(p50?.low).toBeLessThan(p50?.high ?? 0);
    expect(p95).toBeUndefined();
  });
});
