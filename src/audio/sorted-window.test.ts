import fc from "fast-check";
import { expect, it } from "vitest";
import { SortedWindow } from "./sorted-window.ts";

it("has the quantiles of the values in it, wherever it has moved to (property)", () => {
  // Few distinct values, so that equal ones come and go.
  const values = fc.array(fc.integer({ min: -3, max: 9 }), { minLength: 1, maxLength: 200 });
  const steps = fc.array(fc.tuple(fc.nat({ max: 20 }), fc.nat({ max: 20 })), { maxLength: 30 });
  fc.assert(
    fc.property(values, steps, fc.double({ min: 0, max: 1, noNaN: true }), (all, moves, share) => {
      const window = new SortedWindow(Float64Array.from(all), 0);
      let from = 0;
      let to = 0;
      for (const [fromStep, toStep] of moves) {
        to += toStep;
        from = Math.min(from + fromStep, to, all.length);
        window.moveTo(from, to);
        const sorted = all
          .slice(from, to)
          .filter((value) => value > 0)
          .toSorted((a, b) => a - b);

        expect(window.quantile(share)).toBe(
          sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))],
        );
      }
    }),
  );
});
