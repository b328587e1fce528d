import { describe, expect, it } from "vitest";
import { type Instant, instant } from "../environment/index.ts";
import type { PlayoutFact } from "../timeline/index.ts";
import type { QualityMetrics, TempoMetrics } from "./call-quality.ts";
import { measurePlayout, withCatchUps } from "./stalls.ts";

type Event = PlayoutFact["event"];

function fact(event: Event, atMs: number, more: Partial<PlayoutFact> = {}): PlayoutFact {
  const base = { kind: "playout", party: "bot", responseId: "r", playedMs: 0 } as const;
  return { ...base, event, at: instant(atMs), ...more };
}

function hurried(startMs: number, ratio: number): TempoMetrics {
  return { startAt: instant(startMs), endAt: instant(startMs + 500), ratio, shiftMs: -20 };
}

function quality(tempo: readonly TempoMetrics[], gapEnds: readonly number[] = []): QualityMetrics {
  const places = gapEnds.map((ms) => ({ startAt: 0 as Instant, endAt: instant(ms) }));
  const gaps = { count: places.length, ms: 0, places };
  // Of a signal only its gaps are looked at.
  const signals = [{ speaker: "bot", gaps }] as unknown as QualityMetrics["signals"];
  return { ratings: [], signals, tempo };
}

describe("measurePlayout", () => {
  it("takes for a stall what ran dry and went on, or was cut off then", () => {
    const found = measurePlayout([
      fact("started", 0, { heldMs: 40 }),
      fact("underrun", 1000),
      fact("resumed", 1300, { concealedMs: 60 }),
      fact("underrun", 2000),
      fact("flushed", 2100, { playedMs: 1700, stretchedMs: 30 }),
      fact("started", 5000, { responseId: "s", heldMs: 80 }),
      fact("underrun", 6000, { responseId: "s" }),
      fact("ended", 5980, { responseId: "s", playedMs: 1300 }),
    ]);
    expect(found).toEqual({
      stalls: [
        { startAt: 1000, endAt: 1300, responseId: "r", ms: 300, concealedMs: 60 },
        { startAt: 2000, endAt: 2100, responseId: "r", ms: 100 },
      ],
      stallMsMax: 300,
      stallsPerMinute: 2 / (3000 / 60_000),
      gapMs: 340,
      playedMs: 3000,
      heldMsMean: 60,
      heldMsMax: 80,
      stretchedMs: 30,
    });
  });

  it("has none of a bot that did not speak", () => {
    expect(measurePlayout([])).toMatchObject({ stalls: [], stallsPerMinute: 0, heldMsMean: 0 });
  });
});

describe("withCatchUps", () => {
  const stall = [fact("underrun", 1000), fact("resumed", 1300)];
  const after = (change: TempoMetrics, gapEnds?: readonly number[]): number | undefined =>
    withCatchUps(quality([change], gapEnds), stall).tempo[0]?.afterStallMs;

  it("joins hurried speech to the stall, or the gap, right before it", () => {
    expect(after(hurried(1500, 1.1))).toBe(200);
    expect(after(hurried(1250, 1.1))).toBe(0);
    expect(after(hurried(9000, 1.1), [500, 8900])).toBe(100);
  });

  it("joins neither what is slower, nor what comes long after, nor what comes before", () => {
    expect(after(hurried(1500, 0.9))).toBeUndefined();
    expect(after(hurried(4400, 1.1))).toBeUndefined();
    expect(after(hurried(900, 1.1))).toBeUndefined();
  });
});
