import { describe, expect, it } from "vitest";
import { instant } from "../../environment/index.ts";
import { Cubic } from "./cubic.ts";

describe("Cubic", () => {
  it("shrinks to seven tenths, and to two segments at least", () => {
    const cubic = new Cubic();

    expect(cubic.reduce(100)).toBe(70);
    expect(cubic.reduce(2)).toBe(2);
  });

  it("comes back to the old window after K seconds (RFC 9438 §4.2), slowly at its end", () => {
    const cubic = new Cubic();
    cubic.handleRoundTrip(100);
    let window = cubic.reduce(100);
    let credit = 0;
    const reached: Record<number, number> = {};
    // A segment of the window acknowledged each 100 ms / window, as long as K = ∛(30 / 0.4) = 4.2 s.
    for (let ms = 0; ms <= 6000; ms += 100) {
      for (let segment = 0; segment < window; segment += 1) {
        const perGrowth = cubic.segmentsPerGrowth(
          window,
          1,
          instant(ms + (100 * segment) / window),
        );
        credit += 1;
        if (credit < perGrowth) continue;
        credit = 0;
        window += 1;
      }
      reached[ms] = window;
    }

    expect(reached[1000]).toBeGreaterThan(85);
    expect(reached[4000]).toBeGreaterThanOrEqual(98);
    expect(reached[4400]).toBeLessThanOrEqual(101);
    expect(reached[6000]).toBeGreaterThan(101);
  });
});
