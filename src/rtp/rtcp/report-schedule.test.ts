import { describe, expect, it } from "vitest";
import { type Instant, instant, seededRandom } from "../../environment/index.ts";
import {
  deterministicIntervalMs,
  type IntervalConditions,
  ReportSchedule,
  randomIntervalMs,
} from "./report-schedule.ts";

const CALL: IntervalConditions = {
  minIntervalMs: 5000,
  bandwidthBytesPerSecond: 500,
  members: 2,
  senders: 2,
  weSent: true,
  averagePacketBytes: 150,
  isInitial: false,
};
const MEMBERSHIP = { members: 2, senders: 2, weSent: true };
const COMPENSATION = Math.E - 1.5;

/** The intervals between the reports of a schedule whose timer is always on time. */
function intervalsOf(schedule: ReportSchedule, count: number): number[] {
  const intervals: number[] = [];
  let previousAt = instant(0);
  schedule.start(previousAt, MEMBERSHIP);
  while (intervals.length < count) {
    const now = schedule.nextTimeout as Instant;
    if (schedule.isDue(now, MEMBERSHIP)) {
      schedule.handleSent(now, 120, MEMBERSHIP);
      intervals.push(now - previousAt);
      previousAt = now;
    }
  }
  return intervals;
}

function scheduleOf(seed: number, minIntervalMs = 5000): ReportSchedule {
  return new ReportSchedule({
    random: seededRandom(seed),
    minIntervalMs,
    bandwidthBytesPerSecond: 500,
  });
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe("deterministicIntervalMs (RFC 3550 §6.3.1)", () => {
  it("is the minimum in a call, half of it at first", () => {
    expect(deterministicIntervalMs(CALL)).toBe(5000);
    expect(deterministicIntervalMs({ ...CALL, isInitial: true })).toBe(2500);
  });

  it("is what the bandwidth allows where that is more", () => {
    expect(deterministicIntervalMs({ ...CALL, minIntervalMs: 100 })).toBe(600);
    expect(deterministicIntervalMs({ ...CALL, bandwidthBytesPerSecond: 50 })).toBe(6000);
  });

  it("shares out a quarter to senders and the rest to receivers of a large session", () => {
    const large = { ...CALL, members: 100, senders: 20, minIntervalMs: 0 };

    expect(deterministicIntervalMs(large)).toBe((150 * 20 * 1000) / 125);
    expect(deterministicIntervalMs({ ...large, weSent: false })).toBe((150 * 80 * 1000) / 375);
  });
});

describe("randomIntervalMs", () => {
  it("lies within 0.5 and 1.5 of the mean, by the compensation of RFC 3550 A.7", () => {
    expect(randomIntervalMs(CALL, () => 0)).toBeCloseTo(2500 / COMPENSATION, 9);
    expect(randomIntervalMs(CALL, () => 1)).toBeCloseTo(7500 / COMPENSATION, 9);
    expect(COMPENSATION).toBeCloseTo(1.21828, 5);
  });
});

describe("ReportSchedule", () => {
  it("sends in intervals within the bounds of the RFC, in the mean as wanted", () => {
    const intervals = intervalsOf(scheduleOf(1), 20_000).slice(1);

    expect(Math.min(...intervals)).toBeGreaterThanOrEqual(2500 / COMPENSATION);
    expect(Math.max(...intervals)).toBeLessThanOrEqual(7500 / COMPENSATION);
    // Reconsideration and its compensation cancel out (RFC 3550 §6.3.1).
    expect(mean(intervals)).toBeGreaterThan(4950);
    expect(mean(intervals)).toBeLessThan(5050);
  });

  it("sends the first report after about half the interval", () => {
    const first = Array.from({ length: 2000 }, (_, seed) => intervalsOf(scheduleOf(seed), 1)[0]);
    const firstMs = first.map(Number);

    expect(Math.min(...firstMs)).toBeGreaterThanOrEqual(1250 / COMPENSATION);
    expect(Math.max(...firstMs)).toBeLessThanOrEqual(3750 / COMPENSATION);
    expect(mean(firstMs)).toBeGreaterThan(2400);
    expect(mean(firstMs)).toBeLessThan(2600);
  });

  it("is not fooled by a timer that comes early, nor by datagrams of any size", () => {
    const schedule = scheduleOf(3);
    schedule.start(instant(0), MEMBERSHIP);

    expect(schedule.isDue(instant(500), MEMBERSHIP)).toBe(false);
    for (let count = 0; count < 1000; count += 1) schedule.handleReceived(65_000);
    expect(Math.max(...intervalsOf(schedule, 10))).toBeLessThan(10_000);
  });

  it("has no timeout before its start and after its stop", () => {
    const schedule = scheduleOf(4);

    expect(schedule.nextTimeout).toBeUndefined();
    schedule.start(instant(0), MEMBERSHIP);
    schedule.stop();
    expect(schedule.nextTimeout).toBeUndefined();
    expect(schedule.isDue(instant(1e9), MEMBERSHIP)).toBe(false);
  });
});
