import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seededRandom } from "../environment/index.ts";
import { levelDbov } from "./level.ts";
import { resample } from "./resampler.ts";
import { TimeScaler } from "./time-scaler.ts";
import { tone } from "./tone.ts";
import { decodeWav } from "./wav.ts";

const LONG = fileURLToPath(new URL("../../fixtures/voices/bot/long.wav", import.meta.url));
const recording = decodeWav(readFileSync(LONG));
const RATES = [8000, 16_000, 24_000];

function speech(sampleRateHz: number): Int16Array {
  return resample(recording.channels[0] as Int16Array, recording.sampleRateHz, sampleRateHz);
}

function noise(length: number, levelOfNoiseDbov: number): Int16Array {
  const random = seededRandom("time-scaler");
  const gain = 32_768 * 10 ** (levelOfNoiseDbov / 20) * Math.sqrt(3);
  return Int16Array.from({ length }, () => Math.round((2 * random() - 1) * gain));
}

function shortened(scaler: TimeScaler, samples: Int16Array, wanted: number): Int16Array {
  const copy = samples.slice();
  return copy.subarray(0, scaler.shorten(copy, wanted));
}

function lengthened(scaler: TimeScaler, samples: Int16Array, wanted: number): Int16Array {
  const output = new Int16Array(samples.length + Math.max(0, wanted));
  return output.subarray(0, scaler.lengthen(samples, output, wanted));
}

/** The largest second difference: a step of height d gives d. */
function sharpest(samples: Int16Array): number {
  return samples.reduce((most, sample, index) => {
    if (index < 2) return most;
    const before = samples[index - 1] as number;
    return Math.max(most, Math.abs(sample - 2 * before + (samples[index - 2] as number)));
  }, 0);
}

/** All frames through the scaler, each asked for `wanted` samples less or more. */
function rendered(sampleRateHz: number, frameMs: number, wantedMs: number) {
  const scaler = new TimeScaler({ sampleRateHz });
  const original = speech(sampleRateHz);
  const frame = (sampleRateHz * frameMs) / 1000;
  const wanted = Math.round((sampleRateHz * Math.abs(wantedMs)) / 1000);
  const pieces: number[] = [];
  let changed = 0;
  let frames = 0;
  for (let at = 0; at + frame <= original.length; at += frame) {
    const piece = original.subarray(at, at + frame);
    const result =
      wantedMs < 0 ? shortened(scaler, piece, wanted) : lengthened(scaler, piece, wanted);
    if (result.length !== frame) changed += 1;
    frames += 1;
    pieces.push(...result);
  }
  return { original, changedShare: changed / frames, output: Int16Array.from(pieces) };
}

describe.each(RATES)("TimeScaler at %i Hz", (sampleRateHz) => {
  const frame = sampleRateHz / 50;

  it.each([-10, 10])("changes speech by pitch periods without a click (%i ms)", (wantedMs) => {
    const { original, output, changedShare } = rendered(sampleRateHz, 20, wantedMs);
    const growth = output.length / original.length - 1;

    expect(growth * Math.sign(wantedMs)).toBeGreaterThan(0.15);
    expect(changedShare).toBeGreaterThan(0.9);
    expect(sharpest(output)).toBeLessThan(1.1 * sharpest(original));
    expect(Math.abs(levelDbov(output) - levelDbov(original))).toBeLessThan(1);
  });

  it("finds the period of a voice: the result is the same tone, only shorter or longer", () => {
    const scaler = new TimeScaler({ sampleRateHz });
    const voiced = tone({ frequencyHz: 200, durationMs: 20, sampleRateHz, levelDbov: -10 });
    const period = sampleRateHz / 200;
    const longer = tone({ frequencyHz: 200, durationMs: 25, sampleRateHz, levelDbov: -10 });

    expect(shortened(scaler, voiced, period + 7)).toEqual(voiced.subarray(0, frame - period));
    const more = lengthened(scaler, voiced, period + 7);
    expect(more).toHaveLength(frame + period);
    expect(more.every((sample, at) => Math.abs(sample - (longer[at] as number)) <= 1)).toBe(true);
  });

  it("cuts and repeats quiet audio by just as much as is wanted, at its level", () => {
    const scaler = new TimeScaler({ sampleRateHz });
    const quiet = noise(3 * frame, -55);
    for (const wanted of [2, 17, frame / 2, frame]) {
      const less = shortened(scaler, quiet, wanted);
      const more = lengthened(scaler, quiet, wanted);
      expect(less).toHaveLength(3 * frame - wanted);
      expect(more).toHaveLength(3 * frame + wanted);
      expect(Math.abs(levelDbov(less) + 55)).toBeLessThan(1);
      expect(Math.abs(levelDbov(more) + 55)).toBeLessThan(1);
    }
    expect(shortened(scaler, new Int16Array(frame), 10_000)).toHaveLength(sampleRateHz / 200 + 2);
  });

  it("follows 500 ppm by a sample now and then, inaudibly", () => {
    const scaler = new TimeScaler({ sampleRateHz });
    const durationMs = 20;
    const voiced = tone({ frequencyHz: 1000, durationMs, sampleRateHz, levelDbov: -10 });
    const less = shortened(scaler, voiced, 1);
    const more = lengthened(scaler, voiced, 1);

    for (const [result, length] of [
      [less, frame - 1],
      [more, frame + 1],
    ] as const) {
      const frequencyHz = (1000 * (frame - 1)) / (length - 1);
      const expected = tone({ frequencyHz, durationMs: 30, sampleRateHz, levelDbov: -10 });
      const error = result.map((sample, index) => sample - (expected[index] as number));
      expect(result).toHaveLength(length);
      expect(levelDbov(error)).toBeLessThan(-45);
    }
  });

  it("changes loud noise by no more than 0.8 %: it has no period, and a cut would be heard", () => {
    const scaler = new TimeScaler({ sampleRateHz });
    const loud = noise(frame, -20);

    expect(shortened(scaler, loud, frame / 2)).toHaveLength(frame - Math.floor(frame / 128));
    expect(lengthened(scaler, loud, frame / 2)).toHaveLength(frame + Math.floor(frame / 128));
  });

  it("keeps both ends, never does more than wanted, and never the opposite (property)", () => {
    const original = speech(sampleRateHz);
    const scaler = new TimeScaler({ sampleRateHz });
    const places = fc.integer({ min: 0, max: original.length - 3 * frame });
    const lengths = fc.integer({ min: 1, max: 3 * frame });
    const amounts = fc.integer({ min: -5, max: 2 * frame });
    fc.assert(
      fc.property(places, lengths, amounts, (from, length, wanted) => {
        const piece = original.subarray(from, from + length);
        const less = shortened(scaler, piece, wanted);
        const more = lengthened(scaler, piece, wanted);
        for (const result of [less, more]) {
          const change = Math.abs(result.length - length);
          expect(change).toBeLessThanOrEqual(Math.max(0, wanted));
          expect(result[0]).toBe(piece[0]);
          expect(result.at(-1)).toBe(piece.at(-1));
        }
        expect(less.length).toBeLessThanOrEqual(length);
        expect(more.length).toBeGreaterThanOrEqual(length);
      }),
      { numRuns: 300 },
    );
  });
});

describe("TimeScaler", () => {
  it("puts in no more than the output has room for", () => {
    const scaler = new TimeScaler({ sampleRateHz: 8000 });
    const output = new Int16Array(170);

    expect(scaler.lengthen(new Int16Array(160), output, 80)).toBe(170);
    expect(scaler.lengthen(new Int16Array(170), output, 80)).toBe(170);
  });

  it("leaves all as it is where nothing is wanted", () => {
    const scaler = new TimeScaler({ sampleRateHz: 8000 });
    const voiced = tone({ frequencyHz: 200, durationMs: 20, sampleRateHz: 8000 });

    expect(shortened(scaler, voiced, 0)).toEqual(voiced);
    expect(lengthened(scaler, voiced, 0)).toEqual(voiced);
    expect(shortened(scaler, new Int16Array(0), 5)).toHaveLength(0);
  });
});
