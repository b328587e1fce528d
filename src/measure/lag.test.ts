import { describe, expect, it } from "vitest";
import { instant } from "../environment/index.ts";
import { lagMsP99 } from "./media-metrics.ts";

type Telling = Parameters<typeof lagMsP99>[0][number];

/** A telling each second, quiet but for those that are named. */
function seconds(count: number, noisy: Readonly<Record<number, Partial<Telling>>> = {}): Telling[] {
  return Array.from({ length: count }, (_, index) => ({
    at: instant(1000 * (index + 1)),
    eventLoopLagMsP99: 1,
    eventLoopLagMsMax: 2,
    ...noisy[index],
  }));
}

const BAD = { eventLoopLagMsP99: 40, eventLoopLagMsMax: 60 };

describe("the p99 of a call's event-loop lag", () => {
  it("is that of all of its time", () => {
    expect(lagMsP99(seconds(100), instant(0))).toBe(1);
    // A hundredth of the time was worse: the rest may not have been above at all.
    expect(lagMsP99(seconds(100, { 50: BAD }), instant(0))).toBe(2);
    expect(lagMsP99(seconds(100, { 50: BAD, 51: BAD }), instant(0))).toBe(40);
    expect(lagMsP99(seconds(99, { 50: BAD }), instant(0))).toBe(40);
  });

  it("weighs tellings by their time", () => {
    const tellings = seconds(100).flatMap((each, index) => {
      if (index !== 50) return [each];
      return [40, 80].map((ms) => ({ ...each, ...BAD, at: instant(50_000 + ms) }));
    });
    expect(lagMsP99(tellings, instant(0))).toBe(2);
  });

  it("is the worst where one telling is all there is", () => {
    expect(lagMsP99(seconds(1, { 0: BAD }), instant(0))).toBe(40);
    expect(lagMsP99([], instant(0))).toBe(0);
  });
});
