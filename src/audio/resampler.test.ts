import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { levelDbov } from "./level.ts";
import { Resampler, type ResamplerOptions, resample } from "./resampler.ts";
import { tone } from "./tone.ts";

const PAIRS = [
  [8000, 24_000],
  [24_000, 8000],
  [8000, 16_000],
  [16_000, 8000],
  [16_000, 24_000],
  [24_000, 16_000],
  [48_000, 24_000],
  [24_000, 48_000],
  [8000, 48_000],
  [48_000, 8000],
  [16_000, 48_000],
  [48_000, 16_000],
] as const;

function processed(resampler: Resampler, input: Int16Array): Int16Array {
  const output = new Int16Array(resampler.outputLength(input.length));
  return output.subarray(0, resampler.process(input, output));
}

/** Amplitude and phase at a frequency, and the RMS of all the rest, by least squares. */
function fitTone(samples: Int16Array, frequencyHz: number, sampleRateHz: number) {
  let real = 0;
  let imaginary = 0;
  for (const [index, sample] of samples.entries()) {
    const angle = (2 * Math.PI * frequencyHz * index) / sampleRateHz;
    real += (2 / samples.length) * sample * Math.cos(angle);
    imaginary += (2 / samples.length) * sample * Math.sin(angle);
  }
  let rest = 0;
  for (const [index, sample] of samples.entries()) {
    const angle = (2 * Math.PI * frequencyHz * index) / sampleRateHz;
    rest += (sample - real * Math.cos(angle) - imaginary * Math.sin(angle)) ** 2;
  }
  return { amplitude: Math.hypot(real, imaginary), rest: Math.sqrt(rest / samples.length) };
}

/** A loud sine through a resampler: its gain and how far all else lies below it, in dB. */
function toneThrough(options: ResamplerOptions, frequencyHz: number) {
  const { fromHz, toHz } = options;
  const input = tone({ frequencyHz, durationMs: 300, sampleRateHz: fromHz, levelDbov: -4 });
  const output = processed(new Resampler(options), input);
  // 200 ms, and so whole periods, clear of the beginning.
  const settled = output.subarray(toHz / 20, toHz / 4);
  const { amplitude, rest } = fitTone(settled, frequencyHz, toHz);
  const inputAmplitude = Math.SQRT2 * 32_768 * 10 ** (-4 / 20);
  return {
    gainDb: 20 * Math.log10(amplitude / inputAmplitude),
    sinadDb: 20 * Math.log10(amplitude / Math.SQRT2 / rest),
  };
}

const KERNELS = PAIRS.flatMap(([fromHz, toHz]) => [
  { fromHz, toHz, simd: true },
  { fromHz, toHz, simd: false },
]);

describe.each(KERNELS)("resampling $fromHz Hz to $toHz Hz (SIMD: $simd)", (options) => {
  const { fromHz, toHz } = options;
  const lowHz = Math.min(fromHz, toHz);

  it("delays by exactly 32 samples of the lower rate", () => {
    const resampler = new Resampler(options);
    const at = 600;
    const input = new Int16Array(2400);
    input[at] = 30_000;

    const output = Array.from(processed(resampler, input));

    const expectedAt = (at / fromHz + resampler.delayMs / 1000) * toHz;
    const weight = output.reduce((sum, sample) => sum + sample, 0);
    const centre = output.reduce((sum, sample, index) => sum + sample * index, 0) / weight;
    expect(resampler.delayMs).toBe((32 / lowHz) * 1000);
    // The middle of the impulse response, to a hundredth of a sample: rounding to 16 bits.
    expect(Math.abs(centre - expectedAt)).toBeLessThan(0.02);
    expect(output.indexOf(Math.max(...output))).toBe(Math.round(expectedAt));
  });

  it("passes speech frequencies flat within 0.01 dB and cleanly", () => {
    for (const share of [0.05, 0.3, 0.6, 0.85]) {
      const frequencyHz = Math.round((share * lowHz) / 2);
      const { gainDb, sinadDb } = toneThrough(options, frequencyHz);
      expect(Math.abs(gainDb)).toBeLessThan(0.01);
      // The rounding to 16 bits alone leaves some 94 dB.
      expect(sinadDb).toBeGreaterThan(88);
    }
  });

  it("gives the same output whatever the chunks (property)", () => {
    const input = Int16Array.from(
      { length: 1500 },
      (_, index) => ((index * 7919) % 40_000) - 20_000,
    );
    const whole = processed(new Resampler(options), input);
    const cuts = fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(cuts, (lengths) => {
        const resampler = new Resampler(options);
        const pieces: number[] = [];
        let from = 0;
        for (const length of [...lengths, input.length]) {
          const chunk = input.subarray(from, from + length);
          const piece = processed(resampler, chunk);
          expect(piece.length).toBeLessThanOrEqual(resampler.outputLength(chunk.length));
          pieces.push(...piece);
          from += chunk.length;
        }
        expect(pieces).toHaveLength(whole.length);
        expect(pieces.every((sample, index) => sample === whole[index])).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it("keeps going over far more than its history holds", () => {
    const durationMs = 1500;
    const input = tone({ frequencyHz: 500, durationMs, sampleRateHz: fromHz, levelDbov: -10 });
    const output = processed(new Resampler(options), input);

    const last = output.subarray(-toHz / 2);
    expect(output).toHaveLength(Math.ceil((input.length * toHz) / fromHz));
    expect(fitTone(last, 500, toHz).rest).toBeLessThan(0.5);
  });

  it("offline, is aligned with the input and of the same duration", () => {
    const input = new Int16Array(2401);
    input[600] = 30_000;

    const output = resample(input, fromHz, toHz);

    expect(output).toHaveLength(Math.round((2401 * toHz) / fromHz));
    expect(output.indexOf(output.reduce((a, b) => Math.max(a, b)))).toBe(
      Math.round((600 * toHz) / fromHz),
    );
  });
});

describe("Resampler", () => {
  it.each([
    [24_000, 8000],
    [48_000, 24_000],
    [24_000, 16_000],
  ])(
    "rejects by 90 dB what lies 10 %% above the new Nyquist frequency (%i to %i)",
    (fromHz, toHz) => {
      const frequencyHz = 1.1 * (toHz / 2);
      // Long and loud; 16-bit rounding must not hide the residue, so look at its own frequency.
      const input = tone({ frequencyHz, durationMs: 600, sampleRateHz: fromHz, levelDbov: -3.1 });

      const output = processed(new Resampler({ fromHz, toHz }), input);

      const aliasHz = toHz - frequencyHz;
      const alias = fitTone(output.subarray(toHz / 10, toHz / 2), aliasHz, toHz).amplitude;
      expect(20 * Math.log10(Math.max(alias, 1e-9) / 32_768)).toBeLessThan(-90);
    },
  );

  it.each([
    [8000, 24_000],
    [8000, 16_000],
    [16_000, 24_000],
  ])("leaves no image 90 dB below the sound (%i to %i)", (fromHz, toHz) => {
    const frequencyHz = 0.45 * fromHz;
    const input = tone({ frequencyHz, durationMs: 600, sampleRateHz: fromHz, levelDbov: -3.1 });

    const output = processed(new Resampler({ fromHz, toHz }), input);

    const imageHz = fromHz - frequencyHz;
    const image = fitTone(output.subarray(toHz / 10, toHz / 2), imageHz, toHz).amplitude;
    expect(20 * Math.log10(Math.max(image, 1e-9) / 32_768)).toBeLessThan(-90);
  });

  it("has a unity gain at 0 Hz in every phase", () => {
    const input = new Int16Array(2000).fill(12_345);

    for (const [fromHz, toHz] of PAIRS) {
      const output = processed(new Resampler({ fromHz, toHz }), input).subarray(500);
      expect(output.every((sample) => sample === 12_345)).toBe(true);
    }
  });

  it("saturates and does not wrap where the sound overshoots", () => {
    const square = Int16Array.from({ length: 800 }, (_, index) =>
      index % 20 < 10 ? 32_767 : -32_768,
    );

    const output = processed(new Resampler({ fromHz: 8000, toHz: 24_000 }), square).subarray(240);

    // Wrapped samples would have the sign opposite to that of the square's middle.
    const middles = output.filter((_, index) => (index + 240 - 96) % 60 === 15);
    expect(Math.max(...output)).toBe(32_767);
    expect(Math.min(...output)).toBe(-32_768);
    expect(middles.every((sample) => sample > 20_000)).toBe(true);
  });

  it("forgets everything on reset", () => {
    const resampler = new Resampler({ fromHz: 24_000, toHz: 8000 });
    const input = tone({ frequencyHz: 700, durationMs: 33, sampleRateHz: 24_000 });
    const first = processed(resampler, input).slice();

    processed(resampler, input.subarray(0, 100));
    resampler.reset();

    expect(processed(resampler, input)).toEqual(first);
  });

  it("passes equal rates through without delay", () => {
    const resampler = new Resampler({ fromHz: 8000, toHz: 8000 });

    expect(processed(resampler, Int16Array.of(1, 2, 3))).toEqual(Int16Array.of(1, 2, 3));
    expect(resampler.delayMs).toBe(0);
    expect(resample(Int16Array.of(4, 5), 8000, 8000)).toEqual(Int16Array.of(4, 5));
  });

  it("has a profile with three quarters of the delay", () => {
    const resampler = new Resampler({ fromHz: 24_000, toHz: 8000, profile: "lowDelay" });

    expect(resampler.delayMs).toBe(3);
  });

  it("gives the same bits with and without SIMD, whatever the chunks and the profile", () => {
    const noise = fc.array(fc.constantFrom(-32_768, 32_767, -1, 0, 1, 12_345, -20_001), {
      minLength: 300,
      maxLength: 900,
    });
    const profiles = fc.constantFrom("standard" as const, "lowDelay" as const);
    fc.assert(
      fc.property(fc.constantFrom(...PAIRS), profiles, noise, (pair, profile, samples) => {
        const [fromHz, toHz] = pair;
        const simd = new Resampler({ fromHz, toHz, profile });
        const scalar = new Resampler({ fromHz, toHz, profile, simd: false });
        const input = Int16Array.from(samples);
        for (const chunk of [input.subarray(0, 37), input.subarray(37)]) {
          expect(processed(simd, chunk)).toEqual(processed(scalar, chunk));
        }
      }),
      { numRuns: 60 },
    );
  });

  it("keeps the streams of many resamplers apart, of which some share a ratio", () => {
    const calls = Array.from({ length: 600 }, (_, index) => {
      const [fromHz, toHz] = PAIRS[index % PAIRS.length] as (typeof PAIRS)[number];
      const input = tone({ frequencyHz: 300 + index, durationMs: 40, sampleRateHz: fromHz });
      return { fromHz, toHz, input, resampler: new Resampler({ fromHz, toHz }) };
    });
    const halves = [0, 1].map((half) =>
      calls.map(({ input, resampler }) => {
        const middle = input.length / 2;
        return processed(resampler, input.subarray(half * middle, (half + 1) * middle));
      }),
    );

    for (const [index, { fromHz, toHz, input }] of calls.entries()) {
      const alone = processed(new Resampler({ fromHz, toHz, simd: false }), input);
      expect([...(halves[0]?.[index] ?? []), ...(halves[1]?.[index] ?? [])]).toEqual([...alone]);
    }
  });

  it("takes more at once than its workspace holds", () => {
    const input = tone({ frequencyHz: 440, durationMs: 1000, sampleRateHz: 48_000 });
    const whole = processed(new Resampler({ fromHz: 48_000, toHz: 8000 }), input);
    const resampler = new Resampler({ fromHz: 48_000, toHz: 8000 });

    const pieces = [input.subarray(0, 11_111), input.subarray(11_111)].flatMap((piece) => [
      ...processed(resampler, piece),
    ]);

    expect(pieces).toEqual([...whole]);
  });

  it("refuses an output without room", () => {
    const resampler = new Resampler({ fromHz: 8000, toHz: 24_000 });

    expect(() => resampler.process(new Int16Array(160), new Int16Array(479))).toThrow("Bug");
  });

  it.each([
    [0, 8000],
    [8000, -1],
    [8000.5, 8000],
    [Number.NaN, 8000],
    [8000, 44_101],
  ])("refuses rates that are no sensible ratio (%d to %d)", (fromHz, toHz) => {
    expect(() => new Resampler({ fromHz, toHz })).toThrow(
      expect.objectContaining({ code: "ERR_SAMPLE_RATE_UNSUPPORTED", fault: "usage" }),
    );
  });
});

describe("resample", () => {
  it.each([
    [44_100, 8000],
    [22_050, 24_000],
    [8000, 44_100],
  ])("also converts between the rates of recordings (%i to %i)", (fromHz, toHz) => {
    const options = { frequencyHz: 1000, durationMs: 300, levelDbov: -10 };
    const output = resample(tone({ ...options, sampleRateHz: fromHz }), fromHz, toHz);

    const expected = tone({ ...options, sampleRateHz: toHz });
    const settled = output.subarray(toHz / 20, -toHz / 20);
    const error = settled.map((sample, index) => sample - (expected[index + toHz / 20] as number));
    expect(output).toHaveLength(expected.length);
    expect(levelDbov(error)).toBeLessThan(-88);
  });

  it("takes nothing and gives nothing", () => {
    expect(resample(new Int16Array(0), 24_000, 8000)).toHaveLength(0);
  });
});
