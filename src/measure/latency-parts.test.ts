import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { instant } from "../environment/index.ts";
import { partsBetween } from "./latency-parts.ts";

describe("partsBetween", () => {
  it("merges a part whose end is unknown with the next", () => {
    const parts = partsBetween(instant(0), [
      { name: "a", endAt: instant(10) },
      { name: "b", endAt: undefined },
      { name: "c", endAt: instant(30) },
    ]);

    expect(parts.map(({ covers, ms }) => [covers, ms])).toEqual([
      [["a"], 10],
      [["b", "c"], 20],
    ]);
  });

  it("has no parts where the whole is not known", () => {
    expect(partsBetween(instant(0), [{ name: "a", endAt: undefined }])).toEqual([]);
  });

  it("adds up to the whole, whatever is known in between", () => {
    const boundary = fc.option(fc.integer({ min: -5_000_000, max: 5_000_000 }), { nil: undefined });
    fc.assert(
      fc.property(fc.array(boundary), fc.integer({ min: 0, max: 5_000_000 }), (inner, endUs) => {
        const boundaries = [...inner, endUs].map((us, index) => ({
          name: String(index),
          endAt: us === undefined ? undefined : instant(us / 1000),
        }));

        const parts = partsBetween(instant(0), boundaries);

        expect(parts.reduce((sum, { ms }) => sum + ms, 0)).toBeCloseTo(endUs / 1000, 6);
        expect(parts.flatMap(({ covers }) => covers)).toEqual(boundaries.map(({ name }) => name));
      }),
    );
  });
});
