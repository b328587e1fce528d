import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../environment/index.ts";
import { Histogram } from "./histogram.ts";

const milliseconds = fc.array(fc.double({ min: -5000, max: 600_000, noNaN: true }), {
  minLength: 1,
  maxLength: 200,
});

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.add(value);
  return histogram;
}

describe("Histogram", () => {
  it("gives every quantile within 0.1 % of the value of its rank, or within a microsecond of 0", () => {
    fc.assert(
      fc.property(milliseconds, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const sorted = values.toSorted((a, b) => a - b);
        const value = sorted[Math.floor((values.length - 1) * share)] ?? Number.NaN;
        const error = Math.abs(histogramOf(values).quantile(share) - value);

        expect(error).toBeLessThanOrEqual(Math.max(0.001, Math.abs(value) * 0.001 * 1.000_001));
      }),
    );
  });

  it("is the same whether values are added at once or merged from parts, also as JSON", () => {
    fc.assert(
      fc.property(milliseconds, milliseconds, (first, second) => {
        const merged = Histogram.from(
          JSON.parse(JSON.stringify(histogramOf(first))) as ReturnType<Histogram["toJSON"]>,
        );
        merged.merge(histogramOf(second).toJSON());

        expect(merged.toJSON()).toEqual(histogramOf([...first, ...second]).toJSON());
      }),
    );
  });

  it("keeps p99 of a hundred thousand skewed latencies to 0.1 %", () => {
    const random = seededRandom("p99");
    const values = Array.from({ length: 100_000 }, () => 200 / (1 - random()) ** 0.7);
    const exact = values.toSorted((a, b) => a - b)[Math.floor(99_999 * 0.99)] ?? 0;

    expect(Math.abs(histogramOf(values).quantile(0.99) / exact - 1)).toBeLessThan(0.001);
  });

  it("counts nothing as nothing, and refuses buckets of another width", () => {
    expect(new Histogram().count).toBe(0);
    expect(new Histogram().quantile(0.5)).toBeNaN();
    const other = { relativeError: 0.01, positive: [], negative: [], zeros: 0 };
    expect(() => Histogram.from(other)).toThrow("0.01");
  });
});
