import { describe, expect, it } from "vitest";
import { levelDbov, SILENCE_DBOV } from "./level.ts";
import { tone } from "./tone.ts";

describe("levelDbov", () => {
  it("is 0 for a full-scale square wave", () => {
    expect(levelDbov(Int16Array.of(-32_768, -32_768))).toBe(0);
  });

  it("is -3.01 for a full-scale sine", () => {
    const sine = tone({
      frequencyHz: 1000,
      durationMs: 1000,
      sampleRateHz: 8000,
      levelDbov: -3.01,
    });

    expect(levelDbov(sine)).toBeCloseTo(-3.01, 2);
  });

  it("has a floor for silence, the least signal and nothing at all", () => {
    expect(levelDbov(new Int16Array(160))).toBe(SILENCE_DBOV);
    expect(levelDbov(new Int16Array(0))).toBe(SILENCE_DBOV);
    expect(levelDbov(Int16Array.of(1))).toBeCloseTo(-90.3, 1);
  });
});

describe("tone", () => {
  it("has the level, length and frequency asked for", () => {
    const sine = tone({ frequencyHz: 440, durationMs: 1000, sampleRateHz: 16_000, levelDbov: -30 });

    const rises = sine.filter((sample, index) => sample >= 0 && (sine[index - 1] ?? 0) < 0).length;
    expect(sine).toHaveLength(16_000);
    expect(levelDbov(sine)).toBeCloseTo(-30, 1);
    expect(rises).toBeGreaterThanOrEqual(439);
    expect(rises).toBeLessThanOrEqual(440);
  });

  it("fades in and out when asked", () => {
    const options = { frequencyHz: 1000, durationMs: 100, sampleRateHz: 8000, levelDbov: -10 };
    const faded = tone({ ...options, fadeMs: 20 });
    const middle = levelDbov(faded.subarray(320, 480));

    expect(middle).toBeCloseTo(-10, 1);
    expect(levelDbov(faded.subarray(0, 40))).toBeLessThan(middle - 15);
    expect(levelDbov(faded.subarray(-40))).toBeLessThan(middle - 15);
  });

  it("clips and does not wrap when it is too loud", () => {
    const loud = tone({ frequencyHz: 100, durationMs: 20, sampleRateHz: 8000, levelDbov: 3 });

    const rising = loud.subarray(0, 20);
    expect(Math.max(...loud)).toBe(32_767);
    expect(rising.every((sample, index) => sample >= (rising[index - 1] ?? 0))).toBe(true);
  });
});
