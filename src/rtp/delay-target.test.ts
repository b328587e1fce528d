import { describe, expect, it } from "vitest";
import { instant, seededRandom } from "../environment/index.ts";
import { DelayTarget } from "./delay-target.ts";

const BOUNDS = { minMs: 40, maxMs: 200 };

/** Observes packets 20 ms apart from `fromMs` on. */
function observe(
  target: DelayTarget,
  { fromMs, seconds, delay }: { fromMs: number; seconds: number; delay: () => number },
): void {
  for (let ms = 0; ms < seconds * 1000; ms += 20) target.observe(delay(), instant(fromMs + ms));
}

describe("DelayTarget", () => {
  it("begins with the least and stays there without jitter", () => {
    const target = new DelayTarget(BOUNDS);
    expect(target.targetMs).toBe(40);

    observe(target, { fromMs: 0, seconds: 60, delay: () => 1 });

    expect(target.targetMs).toBe(40);
  });

  it("settles a little above the 97 % quantile of the delays", () => {
    const target = new DelayTarget(BOUNDS);
    const random = seededRandom("quantile");

    observe(target, { fromMs: 0, seconds: 60, delay: () => 100 * random() });

    expect(target.targetMs).toBeGreaterThanOrEqual(97 - 3);
    expect(target.targetMs).toBeLessThanOrEqual(97 + 10);
  });

  it("rises within a second and falls by 10 ms in a second at most", () => {
    const target = new DelayTarget(BOUNDS);
    observe(target, { fromMs: 0, seconds: 30, delay: () => 1 });
    observe(target, { fromMs: 30_000, seconds: 1, delay: () => 120 });
    expect(target.targetMs).toBeGreaterThan(120);

    observe(target, { fromMs: 31_000, seconds: 60, delay: () => 1 });
    expect(target.targetMs).toBe(40);

    target.raise(150);
    observe(target, { fromMs: 91_000, seconds: 5, delay: () => 1 });
    expect(target.targetMs).toBeGreaterThanOrEqual(155 - 50 - 1);
    expect(target.targetMs).toBeLessThanOrEqual(155 - 50 + 1);
  });

  it("keeps to its bounds", () => {
    const target = new DelayTarget(BOUNDS);
    observe(target, { fromMs: 0, seconds: 10, delay: () => 5000 });
    target.raise(5000);

    expect(target.targetMs).toBe(200);
  });

  it("knows the same delays against another baseline", () => {
    const target = new DelayTarget(BOUNDS);
    observe(target, { fromMs: 0, seconds: 60, delay: () => 150 });
    expect(target.targetMs).toBeCloseTo(157, 0);

    target.shift(50);
    observe(target, { fromMs: 60_000, seconds: 1, delay: () => 100 });
    expect(target.targetMs).toBeCloseTo(107, 0);

    target.shift(-30);
    observe(target, { fromMs: 61_000, seconds: 1, delay: () => 130 });
    expect(target.targetMs).toBeCloseTo(137, 0);
  });

  it("goes on when its weights have been scaled down", () => {
    const target = new DelayTarget(BOUNDS);
    observe(target, { fromMs: 0, seconds: 1200, delay: () => 90 });

    expect(target.targetMs).toBeCloseTo(97, 0);
  });
});
