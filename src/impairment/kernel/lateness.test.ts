import { describe, expect, it } from "vitest";
import { seededRandom } from "../../environment/index.ts";
import { LatenessHistogram } from "./lateness.ts";

describe("LatenessHistogram", () => {
  it("gives quantiles that are right to a fifth, and never too low", () => {
    const random = seededRandom("lateness");
    const values = Array.from({ length: 5000 }, () => 10 ** (random() * 5 - 3));
    const histogram = new LatenessHistogram();
    for (const value of values) histogram.add(value);

    const sorted = values.toSorted((a, b) => a - b);
    const { packets, p50Ms, p99Ms, maxMs } = histogram.summary;
    expect(packets).toBe(5000);
    expect(maxMs).toBe(sorted.at(-1));
    for (const [got, share] of [
      [p50Ms, 0.5],
      [p99Ms, 0.99],
    ] as const) {
      const exact = sorted[Math.ceil(share * 5000) - 1] ?? Number.NaN;
      expect(got).toBeGreaterThanOrEqual(exact);
      expect(got).toBeLessThan(exact * 1.2);
    }
  });

  it("says 0 of nothing, and takes what lies beyond its bins", () => {
    const histogram = new LatenessHistogram();
    expect(histogram.summary).toEqual({ packets: 0, p50Ms: 0, p99Ms: 0, maxMs: 0 });

    histogram.add(0);
    expect(histogram.summary).toEqual({ packets: 1, p50Ms: 0, p99Ms: 0, maxMs: 0 });

    histogram.add(1e6);
    expect(histogram.summary.maxMs).toBe(1e6);
  });
});
