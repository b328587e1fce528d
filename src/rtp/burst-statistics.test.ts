import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BURST_GMIN, BurstStatistics } from "./burst-statistics.ts";

/** Takes a stream as a text: "." played, "x" not. */
function burstsOf(stream: string): BurstStatistics {
  const statistics = new BurstStatistics();
  for (const each of stream) {
    if (each === "x") statistics.handleMissing();
    else statistics.handlePlayed();
  }
  return statistics;
}

describe("BurstStatistics", () => {
  it("knows nothing before the first packet", () => {
    expect(new BurstStatistics().metrics(20)).toEqual({
      burstDensity: 0,
      gapDensity: 0,
      burstDurationMs: 0,
      gapDurationMs: 0,
      bursts: 0,
      lossRuns: 0,
    });
  });

  it("takes single losses far from each other for gap", () => {
    const stream = `${".".repeat(20)}x${".".repeat(16)}x${".".repeat(20)}`;

    expect(burstsOf(stream).metrics(20)).toEqual({
      burstDensity: 0,
      gapDensity: 2 / 58,
      burstDurationMs: 0,
      gapDurationMs: 58 * 20,
      bursts: 0,
      lossRuns: 2,
    });
  });

  it("takes losses with fewer than 16 packets between them for one burst", () => {
    const stream = `${".".repeat(30)}x${".".repeat(15)}xx..x${".".repeat(30)}`;

    expect(burstsOf(stream).metrics(20)).toEqual({
      burstDensity: 4 / 21,
      gapDensity: 0,
      burstDurationMs: 21 * 20,
      gapDurationMs: 30 * 20,
      bursts: 1,
      lossRuns: 3,
    });
  });

  it("agrees with the definition for any stream (property)", () => {
    const stream = fc
      .array(fc.tuple(fc.integer({ min: 0, max: 25 }), fc.integer({ min: 1, max: 3 })))
      .map((runs) => runs.map(([good, bad]) => ".".repeat(good) + "x".repeat(bad)).join(""));
    fc.assert(
      fc.property(stream, fc.integer({ min: 0, max: 30 }), (begin, end) => {
        const text = begin + ".".repeat(end);
        // Cut where 16 or more good packets stand; what is left is a burst if it has two bad ones.
        const runs = text
          .split(new RegExp(`\\.{${BURST_GMIN},}`, "u"))
          .map((run) => run.replace(/^\.+|\.+$/gu, ""))
          .filter((run) => run.split("x").length > 2);
        const packets = runs.join("").length;
        const bad = runs.join("").split("x").length - 1;

        const metrics = burstsOf(text).metrics(1);

        expect(metrics.bursts).toBe(runs.length);
        expect(metrics.lossRuns).toBe(text.match(/x+/gu)?.length ?? 0);
        expect(metrics.burstDensity).toBeCloseTo(packets === 0 ? 0 : bad / packets, 9);
        expect(metrics.burstDurationMs).toBeCloseTo(packets / Math.max(1, runs.length), 9);
        const gapBad = text.split("x").length - 1 - bad;
        const gapPackets = text.length - packets;
        expect(metrics.gapDensity).toBeCloseTo(gapPackets === 0 ? 0 : gapBad / gapPackets, 9);
      }),
    );
  });
});
