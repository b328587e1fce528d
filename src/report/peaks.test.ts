import { describe, expect, it } from "vitest";
import { peaksOf } from "./peaks.ts";

describe("peaksOf", () => {
  it("keeps the extremes of each bin, scaled to the channel's peak", () => {
    const samples = Int16Array.from([0, 8000, -4000, 0, 100, 200, -16_000, 0, 5]);

    const { binMs, extremes } = peaksOf(samples, 1000, 4);

    expect(binMs).toBe(4);
    expect([...extremes]).toEqual([-32, 64, -127, 2, 0, 0]);
  });

  it("does not blow up a noise floor", () => {
    expect([...peaksOf(Int16Array.from([20, -20]), 1000, 2).extremes]).toEqual([-1, 1]);
  });

  it("has nothing to show of nothing", () => {
    expect(peaksOf(new Int16Array(0), 8000, 5).extremes).toHaveLength(0);
  });
});
