import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimateIndex } from "./packet-index.ts";

const SPAN = 0x1_0000;

describe("estimateIndex", () => {
  it("takes the first packet of a source to lie in the first cycle", () => {
    expect(estimateIndex(-1, 0)).toBe(0);
    expect(estimateIndex(-1, 65_535)).toBe(65_535);
  });

  it("counts a wrap, and finds stragglers from before it", () => {
    expect(estimateIndex(65_535, 0)).toBe(SPAN);
    expect(estimateIndex(65_530, 20)).toBe(SPAN + 20);
    expect(estimateIndex(SPAN + 3, 65_534)).toBe(65_534);
  });

  it("never goes below the first cycle", () => {
    expect(estimateIndex(5, 65_000)).toBe(65_000);
  });

  it("finds the true index of whatever is less than half a cycle away (property)", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 48 - SPAN }),
        fc.integer({ min: -0x7fff, max: 0x7fff }),
        (highest, distance) => {
          const index = Math.max(0, highest + distance);
          expect(estimateIndex(highest, index % SPAN)).toBe(index);
        },
      ),
    );
  });
});
