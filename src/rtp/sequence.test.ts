import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SequenceTracker, sequenceDistance, timestampDistance } from "./sequence.ts";

describe("distances", () => {
  it("are signed and cross the wrap", () => {
    expect(sequenceDistance(65_535, 0)).toBe(1);
    expect(sequenceDistance(0, 65_535)).toBe(-1);
    expect(timestampDistance(0xffff_ff60, 0)).toBe(160);
    expect(timestampDistance(0, 0xffff_ff60)).toBe(-160);
  });
});

describe("SequenceTracker", () => {
  it("extends any walk of small steps as if there were no wrap (property)", () => {
    const steps = fc.array(fc.integer({ min: -300, max: 3000 }), { maxLength: 200 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff }), steps, (first, walk) => {
        const tracker = new SequenceTracker(1024);
        let highest = first + 0x1_0000;
        tracker.mark(tracker.extend(first));

        for (const step of walk) {
          const next = highest + step;
          expect(tracker.extend(next & 0xffff)).toBe(next);
          tracker.mark(next);
          highest = Math.max(highest, next);
        }
      }),
    );
  });

  it("knows duplicates and counts what is missing", () => {
    const tracker = new SequenceTracker(64);
    for (const sequence of [10, 11, 13, 16]) expect(tracker.mark(sequence)).toBe(true);

    expect(tracker.mark(13)).toBe(false);
    expect(tracker.count(10, 16)).toBe(4);
    expect(tracker.count(13, 12)).toBe(0);
  });

  it("does not let a number from beyond the window displace a newer one", () => {
    const tracker = new SequenceTracker(64);
    tracker.mark(200);

    tracker.mark(200 - 64);

    expect(tracker.has(200)).toBe(true);
    expect(tracker.highest).toBe(200);
  });
});
