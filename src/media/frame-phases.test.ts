import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant } from "../environment/index.ts";
import { FramePhases } from "./frame-phases.ts";

/** Begins so many calls at the instants given; returns their first deadlines. */
function begin(phases: FramePhases, instants: readonly number[], frameMs = 20): number[] {
  return instants.map((now) => {
    const first = phases.choose(instant(now), frameMs);
    phases.claim(first, frameMs);
    return first;
  });
}

describe("FramePhases", () => {
  it("lets calls that begin at any time share few deadlines", () => {
    const instants = Array.from({ length: 100 }, (_, index) => 1000 + index * 7.3);

    const firsts = begin(new FramePhases(), instants);

    expect(new Set(firsts.map((first) => first % 20)).size).toBe(4);
  });

  it("never puts a first deadline before the call, nor 5 ms after it", () => {
    const instants = fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { maxLength: 300 });
    fc.assert(
      fc.property(instants, fc.constantFrom(10, 20, 30, 40, 60), (wanted, frameMs) => {
        const firsts = begin(new FramePhases(), wanted, frameMs);
        for (const [index, first] of firsts.entries()) {
          expect(first).toBeGreaterThanOrEqual(wanted[index] as number);
          expect(first).toBeLessThan((wanted[index] as number) + 5);
        }
      }),
    );
  });

  it("spreads a thousand calls evenly over a frame", () => {
    const phases = new FramePhases();
    const instants = Array.from({ length: 1000 }, (_, index) => 1000 + index * 10.7);

    const firsts = begin(phases, instants);

    const counts = new Map<number, number>();
    for (const first of firsts) counts.set(first % 20, (counts.get(first % 20) ?? 0) + 1);
    expect(counts.size).toBe(16);
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(66);
  });

  it("forgets calls that have ended, whichever of their deadlines is named", () => {
    const phases = new FramePhases();
    const [first = 0] = begin(phases, [1000]);
    expect(phases.callsAt(instant(first + 400), 20)).toBe(1);

    phases.release(instant(first + 60_000), 20);

    expect(phases.callsAt(instant(first), 20)).toBe(0);
  });
});
