import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../environment/index.ts";
import { summarise, wilsonInterval } from "./statistics.ts";

const values = fc.array(fc.integer({ min: -1000, max: 10_000 }), { minLength: 1, maxLength: 60 });

describe("summarise", () => {
  it("has nothing to say of no values", () => {
    expect(summarise([])).toBeUndefined();
  });

  it("interpolates percentiles linearly", () => {
    expect(summarise([40, 10, 30, 20])).toEqual({
      n: 4,
      min: 10,
      p50: 25,
      p95: expect.closeTo(38.5, 9) as number,
      p99: expect.closeTo(39.7, 9) as number,
      max: 40,
    });
  });

  it("does not depend on the order of the values, and keeps percentiles in order", () => {
    fc.assert(
      fc.property(values, (list) => {
        const statistics = summarise(list);

        expect(summarise(list.toReversed())).toEqual(statistics);
        const { min = 0, p50 = 0, p95 = 0, p99 = 0, max = 0 } = statistics ?? {};
        const inOrder = [min, p50, p95, p99, max];
        expect(inOrder.toSorted((a, b) => a - b)).toEqual(inOrder);
      }),
    );
  });

  it("gives the median an interval that repeats with its seed", () => {
    const list = Array.from({ length: 40 }, (_, index) => 800 + ((index * 37) % 100));

    const first = summarise(list, seededRandom(1));
    const again = summarise(list, seededRandom(1));

    expect(first).toEqual(again);
    expect(first?.p50Interval?.low).toBeLessThan(first?.p50 ?? 0);
    expect(first?.p50Interval?.high).toBeGreaterThan(first?.p50 ?? 0);
  });

  it("gives no interval to fewer than six values", () => {
    expect(summarise([1, 2, 3, 4, 5], seededRandom(1))?.p50Interval).toBeUndefined();
  });
});

describe("wilsonInterval", () => {
  it("agrees with the published example of 8 in 10", () => {
    const interval = wilsonInterval(8, 10);

    expect(interval?.low).toBeCloseTo(0.4902, 4);
    expect(interval?.high).toBeCloseTo(0.9433, 4);
  });

  it("stays in [0, 1] and is undefined without events", () => {
    expect(wilsonInterval(0, 0)).toBeUndefined();
    expect(wilsonInterval(0, 3)?.low).toBe(0);
    expect(wilsonInterval(3, 3)?.high).toBe(1);
  });
});
