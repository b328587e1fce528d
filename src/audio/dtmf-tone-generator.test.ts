// oxlint-disable unicorn/no-array-fill-with-reference-type -- DtmfToneGenerator.fill is no Array.fill.
import { describe, expect, it } from "vitest";
import { DtmfToneGenerator, type DtmfToneGeneratorOptions } from "./dtmf-tone-generator.ts";
import { levelDbov } from "./level.ts";

const RATES = [8000, 16_000, 24_000, 48_000];

/** All frames until the generator is idle, as one run of samples. */
function generate(generator: DtmfToneGenerator, frameSamples: number): Int16Array {
  const frames: number[] = [];
  const frame = new Int16Array(frameSamples);
  while (generator.fill(frame)) frames.push(...frame);
  return Int16Array.from(frames);
}

function digits(text: string, options: Partial<DtmfToneGeneratorOptions> = {}): Int16Array {
  const generator = new DtmfToneGenerator({ sampleRateHz: 8000, ...options });
  generator.queue(text);
  return generate(generator, (options.sampleRateHz ?? 8000) / 50);
}

/** RMS level of one frequency in the samples, in dBov; exact for whole numbers of periods. */
function toneLevelDbov(samples: Int16Array, frequencyHz: number, sampleRateHz: number): number {
  let re = 0;
  let im = 0;
  samples.forEach((sample, index) => {
    const phase = (2 * Math.PI * frequencyHz * index) / sampleRateHz;
    re += sample * Math.cos(phase);
    im += sample * Math.sin(phase);
  });
  const amplitude = (2 * Math.hypot(re, im)) / samples.length;
  return 20 * Math.log10(amplitude / Math.SQRT2 / 32_768);
}

describe("DtmfToneGenerator", () => {
  it.each(RATES)("has the frequencies of Q.23 at the chosen level (%d Hz)", (sampleRateHz) => {
    const samples = digits("5", { sampleRateHz, durationMs: 1004, levelDbov: -12 });
    const second = samples.subarray(sampleRateHz / 500, sampleRateHz + sampleRateHz / 500);

    expect(toneLevelDbov(second, 770, sampleRateHz)).toBeCloseTo(-12, 1);
    expect(toneLevelDbov(second, 1336, sampleRateHz)).toBeCloseTo(-12, 1);
    expect(levelDbov(second)).toBeCloseTo(-12 + 3.01, 1);
  });

  it.each([
    ["1", 697, 1209],
    ["A", 697, 1633],
    ["c", 852, 1633],
    ["*", 941, 1209],
    ["0", 941, 1336],
    ["#", 941, 1477],
  ])("knows the tones of %s", (digit, lowHz, highHz) => {
    const samples = digits(digit, { durationMs: 1004 }).subarray(16, 8016);

    expect(toneLevelDbov(samples, lowHz, 8000)).toBeCloseTo(-10, 1);
    expect(toneLevelDbov(samples, highHz, 8000)).toBeCloseTo(-10, 1);
  });

  it("makes the high tone stronger by the twist", () => {
    const samples = digits("1", { durationMs: 1004, levelDbov: -14, twistDb: 2 });
    const second = samples.subarray(16, 8016);

    expect(toneLevelDbov(second, 697, 8000)).toBeCloseTo(-14, 1);
    expect(toneLevelDbov(second, 1209, 8000)).toBeCloseTo(-12, 1);
  });

  it("lasts as long as it should, with its gap, however it is asked", () => {
    for (const frameSamples of [1, 7, 80, 160, 1000]) {
      const generator = new DtmfToneGenerator({ sampleRateHz: 8000, durationMs: 50, gapMs: 30 });
      generator.queue("1");
      generator.queue("2", 70);
      const samples = generate(generator, frameSamples);

      const length = Math.ceil(1440 / frameSamples) * frameSamples;
      expect(samples).toHaveLength(length);
      expect(samples.subarray(400, 640).every((sample) => sample === 0)).toBe(true);
      expect(samples.subarray(1200).every((sample) => sample === 0)).toBe(true);
      expect(generator.takeGenerated()).toEqual({ digit: "1", startSample: 0, durationMs: 50 });
      expect(generator.takeGenerated()).toEqual({ digit: "2", startSample: 640, durationMs: 70 });
      expect(generator.takeGenerated()).toBeUndefined();
    }
  });

  it("does not depend on the frames", () => {
    const inOne = new DtmfToneGenerator({ sampleRateHz: 8000 });
    const inMany = new DtmfToneGenerator({ sampleRateHz: 8000 });
    inOne.queue("159D");
    inMany.queue("159D");

    const whole = generate(inOne, 6400);

    expect(generate(inMany, 64)).toEqual(whole);
  });

  it("neither clicks at its edges nor clips in between", () => {
    const samples = digits("0123456789*#ABCD", { levelDbov: -9.1 });
    let greatestStep = 0;
    samples.forEach((sample, index) => {
      const before = samples[index - 1] ?? 0;
      greatestStep = Math.max(greatestStep, Math.abs(sample - before));
    });
    const amplitude = Math.SQRT2 * 32_768 * 10 ** (-9.1 / 20);
    // What two sines of 941 and 1633 Hz can do by themselves from sample to sample.
    const steepest = amplitude * ((2 * Math.PI * (941 + 1633)) / 8000);

    expect(greatestStep).toBeLessThan(steepest);
    // The first millisecond of each tone is quiet: 2 ms of raised cosine.
    for (let digit = 0; digit < 16; digit += 1) {
      const start = digit * 1600;
      expect(Math.abs(samples[start] as number)).toBeLessThan(50);
      expect(levelDbov(samples.subarray(start, start + 4))).toBeLessThan(-25);
      expect(levelDbov(samples.subarray(start + 796, start + 800))).toBeLessThan(-25);
    }
  });

  it("leaves the audio alone while it is idle", () => {
    const generator = new DtmfToneGenerator({ sampleRateHz: 8000 });
    const audio = Int16Array.of(1, 2, 3);

    expect(generator.fill(audio)).toBe(false);
    expect([...audio]).toEqual([1, 2, 3]);
    expect(generator.isIdle).toBe(true);
  });

  it("says which digit sounds", () => {
    const generator = new DtmfToneGenerator({ sampleRateHz: 8000, durationMs: 40, gapMs: 40 });
    const frame = new Int16Array(160);
    generator.queue("7a");
    const heard: (string | undefined)[] = [];
    while (generator.fill(frame)) heard.push(generator.current);

    expect(heard).toEqual(["7", "7", undefined, undefined, "A", "A", undefined, undefined]);
    expect(generator.current).toBeUndefined();
  });

  it("counts where tones begin from the first frame that it was asked for", () => {
    const generator = new DtmfToneGenerator({ sampleRateHz: 8000 });
    const frame = new Int16Array(160);
    generator.fill(frame);
    generator.fill(frame);
    generator.queue("1");
    generator.fill(frame);

    expect(generator.takeGenerated()?.startSample).toBe(320);
  });

  it("refuses what is no digit, and queues nothing of it", () => {
    const generator = new DtmfToneGenerator({ sampleRateHz: 8000 });

    expect(() => generator.queue("12x")).toThrow(
      expect.objectContaining({ code: "ERR_DIGIT_UNKNOWN" }),
    );
    expect(generator.isIdle).toBe(true);
  });

  it.each([39, 600_001, Number.NaN])("refuses a duration of %d ms", (durationMs) => {
    const refusal = expect.objectContaining({ code: "ERR_DIGIT_DURATION_OUT_OF_RANGE" });
    const generator = new DtmfToneGenerator({ sampleRateHz: 8000 });

    expect(() => new DtmfToneGenerator({ sampleRateHz: 8000, durationMs })).toThrow(refusal);
    expect(() => generator.queue("1", durationMs)).toThrow(refusal);
  });

  it.each([
    [-8, 0],
    [-10, 3],
  ])("refuses to clip: %d dBov with a twist of %d dB", (level, twistDb) => {
    expect(() => new DtmfToneGenerator({ sampleRateHz: 8000, levelDbov: level, twistDb })).toThrow(
      expect.objectContaining({ code: "ERR_TONE_LEVEL_OUT_OF_RANGE" }),
    );
  });
});
