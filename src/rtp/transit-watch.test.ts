import { describe, expect, it } from "vitest";
import { instant, seededRandom } from "../environment/index.ts";
import { TransitWatch } from "./transit-watch.ts";

interface Path {
  readonly ppm: number;
  readonly jitterMs: number;
  readonly seconds: number;
  /** How much longer the path is at this time. */
  readonly extraMs?: (sentMs: number) => number;
}

function watch({ ppm, jitterMs, seconds, extraMs = () => 0 }: Path): TransitWatch {
  const transit = new TransitWatch();
  const random = seededRandom(`${ppm} ${jitterMs}`);
  for (let index = 0; index < seconds * 50; index += 1) {
    const sentMs = index * 20 * (1 - ppm / 1e6);
    const now = sentMs + 1e6 + random() * jitterMs + extraMs(sentMs);
    transit.observe(now - index * 20, instant(now));
  }
  return transit;
}

function longerFrom10s(sentMs: number): number {
  return sentMs > 10_000 ? 100 : 0;
}

describe("TransitWatch", () => {
  it.each([
    [0, 0],
    [500, 0],
    [-500, 15],
    [200, 40],
    [-200, 80],
    [500, 80],
  ])("estimates %d ppm under %d ms of jitter within 50 ppm", (ppm, jitterMs) => {
    const estimate = watch({ ppm, jitterMs, seconds: 90 }).driftPpm;

    expect(Math.abs((estimate ?? Number.NaN) - ppm)).toBeLessThan(50);
  });

  it("does not take a path that becomes longer or shorter for drift", () => {
    for (const stepMs of [8, 100, -100]) {
      const transit = watch({
        ppm: 100,
        jitterMs: 10,
        seconds: 120,
        extraMs: (sentMs) => (sentMs > 60_000 ? stepMs : 0),
      });

      expect(Math.abs((transit.driftPpm ?? Number.NaN) - 100)).toBeLessThan(50);
    }
  });

  it("knows nothing of the drift in the first seconds", () => {
    expect(watch({ ppm: 500, jitterMs: 0, seconds: 8 }).driftPpm).toBeUndefined();
  });

  it("believes a shorter path at once and a longer one after some seconds", () => {
    const path = { ppm: 0, jitterMs: 0, extraMs: longerFrom10s };

    expect(watch({ ...path, seconds: 15 }).baselineMs).toBe(1e6);
    expect(watch({ ...path, seconds: 22 }).baselineMs).toBeCloseTo(1e6 + 100, 6);
    expect(
      watch({ ...path, seconds: 11, extraMs: (sentMs) => 100 - longerFrom10s(sentMs) }).baselineMs,
    ).toBe(1e6);
  });
});
