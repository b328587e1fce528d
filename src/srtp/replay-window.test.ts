import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SRTP_REJECTION } from "./rejection.ts";
import { ReplayWindow } from "./replay-window.ts";

const WINDOW = 128;

describe("ReplayWindow", () => {
  it("lets everything pass at first, index 0 included", () => {
    const window = new ReplayWindow();
    expect(window.check(0)).toBe(0);
    window.accept(0);
    expect(window.check(0)).toBe(SRTP_REJECTION.replayed);
    expect(window.check(1)).toBe(0);
  });

  it("reaches 127 packets back from the highest", () => {
    const window = new ReplayWindow();
    window.accept(1000);
    expect(window.check(1000 - WINDOW + 1)).toBe(0);
    expect(window.check(1000 - WINDOW)).toBe(SRTP_REJECTION.tooOld);
  });

  it("agrees with a set of all that was accepted, whatever the steps (property)", () => {
    const step = fc.oneof(
      fc.integer({ min: -200, max: 200 }),
      fc.integer({ min: -3, max: 3 }),
      fc.integer({ min: -100_000, max: 100_000 }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 47 }),
        fc.array(step, { maxLength: 300 }),
        (start, steps) => {
          const window = new ReplayWindow();
          const accepted = new Set<number>();
          let index = start;
          for (const distance of steps) {
            index = Math.max(0, index + distance);
            const { highest } = window;
            const verdict = window.check(index);
            const known = accepted.has(index) ? SRTP_REJECTION.replayed : 0;
            expect(verdict).toBe(index <= highest - WINDOW ? SRTP_REJECTION.tooOld : known);
            if (verdict === 0) {
              window.accept(index);
              accepted.add(index);
            }
          }
        },
      ),
    );
  });
});
