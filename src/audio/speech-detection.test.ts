import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Codec, PCMA, PCMU } from "../codec/index.ts";
import { type Random, seededRandom } from "../environment/index.ts";
import { levelDbov } from "./level.ts";
import { resample } from "./resampler.ts";
import { detectSpeech, type SpeechSegment } from "./speech-detection.ts";
import { tone } from "./tone.ts";
import { decodeWav } from "./wav.ts";

interface Edges {
  readonly onsetMs: number;
  readonly offsetMs: number;
}

interface Utterance extends Edges {
  readonly id: string;
  readonly samples: Int16Array;
  /** The edges by a definition of 33 and of 37 dB: how sharp they are by nature. */
  readonly inner: Edges;
  readonly outer: Edges;
}

const VOICES = new URL("../../fixtures/voices/", import.meta.url);
const RATE_HZ = 8000;
const PAD_MS = 700;

interface Entry {
  readonly id: string;
  readonly file: string;
}

/**
 * The truth: first and last sample where the energy of a centred window of 5 ms is within `depthDb`
 * of the peak. Taken from the clean sound at the telephone's rate, as a fricative that begins a
 * word may lie above its band.
 */
function edges(clean: Int16Array, depthDb: number): Edges {
  const half = (2.5 * RATE_HZ) / 1000;
  const energies = Array.from(clean, (_, middle) =>
    clean.subarray(Math.max(0, middle - half), middle + half).reduce((sum, s) => sum + s * s, 0),
  );
  const limit = energies.reduce((a, b) => Math.max(a, b)) * 10 ** (-depthDb / 10);
  const isLoud = (energy: number): boolean => energy > limit;
  return { onsetMs: ms(energies.findIndex(isLoud)), offsetMs: ms(energies.findLastIndex(isLoud)) };
}

/** The recordings of fixtures/voices at 8 kHz, read once. */
const UTTERANCES: readonly Utterance[] = readUtterances();

function readUtterances(): Utterance[] {
  return ["caller", "bot"].flatMap((folder) => {
    const text = readFileSync(new URL(`${folder}/voices.json`, VOICES), "utf8");
    return (JSON.parse(text) as Entry[]).map(({ id, file }) => {
      const wav = decodeWav(readFileSync(new URL(`${folder}/${file}`, VOICES)));
      const samples = resample(wav.channels[0] as Int16Array, wav.sampleRateHz, RATE_HZ);
      const [inner, outer] = [edges(samples, 33), edges(samples, 37)];
      return { id: `${folder}/${id}`, samples, ...edges(samples, 35), inner, outer };
    });
  });
}

function concat(...parts: readonly Int16Array[]): Int16Array {
  return Int16Array.from(parts.flatMap((part) => Array.from(part)));
}

function silence(durationMs: number, sampleRateHz: number = RATE_HZ): Int16Array {
  return new Int16Array((durationMs * sampleRateHz) / 1000);
}

function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function withNoise(samples: Int16Array, levelOfNoiseDbov: number, seed: string): Int16Array {
  const random = seededRandom(seed);
  const rms = 32_768 * 10 ** (levelOfNoiseDbov / 20);
  return samples.map((sample) => Math.round(sample + rms * gaussian(random)));
}

function amplified(samples: Int16Array, gainDb: number): Int16Array {
  const gain = 10 ** (gainDb / 20);
  return samples.map((s) => Math.max(-32_768, Math.min(32_767, Math.round(s * gain))));
}

function through(codec: Codec, samples: Int16Array): Int16Array {
  const payload = new Uint8Array(samples.length);
  codec.createEncoder({ ptimeMs: 20 }).encode(samples, payload);
  const output = new Int16Array(samples.length);
  codec.createDecoder().decode(payload, output);
  return output;
}

function ms(sample: number): number {
  return (sample * 1000) / RATE_HZ;
}

/** The errors of all first onsets and last offsets, and how far they are from any fair truth. */
function edgeErrorsMs(change: (samples: Int16Array, id: string) => Int16Array): {
  errors: number[];
  excess: number[];
} {
  const errors: number[] = [];
  const excess: number[] = [];
  for (const { id, samples, onsetMs, offsetMs, inner, outer } of UTTERANCES) {
    const call = concat(silence(PAD_MS), samples, silence(PAD_MS));
    const segments = detectSpeech(change(call, id), RATE_HZ);
    const onset = ms((segments[0] as SpeechSegment).startSample) - PAD_MS;
    const offset = ms((segments.at(-1) as SpeechSegment).endSample) - PAD_MS;
    errors.push(Math.abs(onset - onsetMs), Math.abs(offset - offsetMs));
    excess.push(Math.max(0, outer.onsetMs - onset, onset - inner.onsetMs));
    excess.push(Math.max(0, inner.offsetMs - offset, offset - outer.offsetMs));
  }
  return { errors, excess };
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function percentile95(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(0.95 * values.length)] as number;
}

describe("detectSpeech on known utterances", () => {
  it.each([
    ["through µ-law", (samples: Int16Array) => through(PCMU, samples)],
    ["through A-law", (samples: Int16Array) => through(PCMA, samples)],
    [
      "with noise 30 dB below, through µ-law",
      (samples: Int16Array, id: string) => through(PCMU, withNoise(samples, -50, id)),
    ],
    ["at -3 dBov peaks", (samples: Int16Array) => through(PCMU, amplified(samples, 3))],
    ["at -40 dBov", (samples: Int16Array) => through(PCMU, amplified(samples, -20))],
  ])("finds onset and offset %s: 4 ms mean, 12 ms at the 95th percentile", (_, change) => {
    const { errors, excess } = edgeErrorsMs(change);

    expect(mean(errors)).toBeLessThan(4);
    expect(percentile95(excess)).toBeLessThan(12);
  });

  it("finds them at -50 dBov too, where the codec's steps blur the edges: 8 ms mean", () => {
    const { errors, excess } = edgeErrorsMs((samples) => through(PCMU, amplified(samples, -30)));

    expect(mean(errors)).toBeLessThan(8);
    expect(percentile95(excess)).toBeLessThan(12);
  });

  it("keeps each utterance in one piece and finds nothing else", () => {
    for (const { samples } of UTTERANCES) {
      const call = concat(silence(PAD_MS), samples, silence(PAD_MS));
      const segments = detectSpeech(through(PCMU, call), RATE_HZ);
      expect(segments).toHaveLength(1);
    }
  });

  it("measures the same at 24 kHz", () => {
    for (const { samples, onsetMs } of UTTERANCES.slice(0, 4)) {
      const call = resample(concat(silence(PAD_MS), samples, silence(PAD_MS)), RATE_HZ, 24_000);
      const [segment] = detectSpeech(call, 24_000);
      expect(Math.abs((segment?.startSample ?? 0) / 24 - PAD_MS - onsetMs)).toBeLessThan(8);
    }
  });

  it("tells utterances apart that follow one another closely, whatever their levels", () => {
    const [first, second] = UTTERANCES as unknown as [Utterance, Utterance];
    const gapMs = 400;
    const call = concat(
      first.samples,
      silence(gapMs),
      amplified(second.samples, -20),
      silence(500),
    );

    const segments = detectSpeech(through(PCMU, call), RATE_HZ);

    const secondAt = ms(first.samples.length) + gapMs;
    expect(segments).toHaveLength(2);
    expect(Math.abs(ms(segments[0]?.endSample ?? 0) - first.offsetMs)).toBeLessThan(12);
    const secondOnset = secondAt + second.onsetMs;
    expect(Math.abs(ms(segments[1]?.startSample ?? 0) - secondOnset)).toBeLessThan(12);
  });

  it("still finds them in noise 20 dB below, with an uncertainty that says so", () => {
    const { samples, onsetMs } = UTTERANCES[0] as Utterance;
    const call = withNoise(concat(silence(PAD_MS), samples, silence(PAD_MS)), -40, "seed");

    const [segment] = detectSpeech(call, RATE_HZ);

    expect(Math.abs(ms(segment?.startSample ?? 0) - PAD_MS - onsetMs)).toBeLessThan(60);
    expect(segment?.onsetUncertaintySamples).toBeGreaterThan(RATE_HZ / 1000);
  });
});

describe("detectSpeech on made signals", () => {
  const burst = (durationMs: number, level = -20): Int16Array =>
    tone({ frequencyHz: 700, durationMs, sampleRateHz: RATE_HZ, levelDbov: level });

  it.each([
    ["digital silence", silence(3000)],
    ["µ-law's idle code", through(PCMU, silence(3000))],
    ["A-law's idle code", through(PCMA, silence(3000))],
    ["A-law's idle codes of both signs", silence(3000).map((_, index) => (index % 2 ? 8 : -8))],
    ["steady noise", withNoise(silence(3000), -45, "noise")],
    ["nothing at all", new Int16Array(0)],
    ["less than a frame", new Int16Array(20).fill(10_000)],
    [
      "50 Hz hum",
      tone({ frequencyHz: 50, durationMs: 3000, sampleRateHz: RATE_HZ, levelDbov: -50 }),
    ],
  ])("finds nothing in %s", (_, samples) => {
    expect(detectSpeech(samples, RATE_HZ)).toEqual([]);
  });

  it("places the edges of a burst in silence to a few milliseconds", () => {
    const [segment] = detectSpeech(concat(silence(500), burst(300), silence(500)), RATE_HZ);

    expect(Math.abs(ms(segment?.startSample ?? 0) - 500)).toBeLessThan(3);
    expect(Math.abs(ms(segment?.endSample ?? 0) - 800)).toBeLessThan(3);
    expect(segment?.onsetUncertaintySamples).toBeLessThan((5 * RATE_HZ) / 1000);
  });

  it("finds speech that the recording begins and ends with", () => {
    const [segment, ...others] = detectSpeech(concat(burst(400), silence(800)), RATE_HZ);
    const [last] = detectSpeech(concat(silence(800), burst(400)), RATE_HZ);

    expect(others).toEqual([]);
    expect(ms(segment?.startSample ?? Number.NaN)).toBeLessThan(4);
    expect(ms(last?.endSample ?? Number.NaN)).toBeGreaterThan(1196);
  });

  it("finds a long steady sound whole", () => {
    const segments = detectSpeech(concat(silence(600), burst(5000), silence(600)), RATE_HZ);

    expect(segments).toHaveLength(1);
    expect(Math.abs(ms(segments[0]?.endSample ?? 0) - 5600)).toBeLessThan(3);
  });

  it("joins pauses shorter than joinGapMs, and no others", () => {
    const call = concat(silence(500), burst(200), silence(250), burst(200), silence(500));

    expect(detectSpeech(call, RATE_HZ)).toHaveLength(1);
    expect(detectSpeech(call, RATE_HZ, { joinGapMs: 240 })).toHaveLength(2);
    expect(detectSpeech(call, RATE_HZ, { joinGapMs: 260 })).toHaveLength(1);
    expect(detectSpeech(call, RATE_HZ, { joinGapMs: 0 })).toHaveLength(2);
  });

  it("drops what is shorter than minSpeechMs", () => {
    const call = concat(silence(500), burst(50), silence(500));

    expect(detectSpeech(call, RATE_HZ)).toEqual([]);
    expect(detectSpeech(call, RATE_HZ, { minSpeechMs: 30 })).toHaveLength(1);
  });

  it("takes comfort noise around words for background, though there is silence beside it", () => {
    const words = withNoise(concat(silence(1000), burst(500), silence(500)), -60, "comfort");

    const segments = detectSpeech(concat(silence(1500), words, silence(1500)), RATE_HZ);

    expect(segments).toHaveLength(1);
    expect(Math.abs(ms(segments[0]?.startSample ?? 0) - 2500)).toBeLessThan(5);
    expect(Math.abs(ms(segments[0]?.endSample ?? 0) - 3000)).toBeLessThan(5);
  });

  it("does not take comfort noise for words where lost packets cut it to pieces", () => {
    const noise = withNoise(silence(1000), -60, "comfort");
    const words = withNoise(burst(500), -60, "words");
    const call = concat(noise, silence(400), noise, words, noise, silence(400), noise);

    const segments = detectSpeech(call, RATE_HZ);

    expect(segments).toHaveLength(1);
    expect(Math.abs(ms(segments[0]?.startSample ?? 0) - 2400)).toBeLessThan(5);
  });

  it("finds the edges of a sound that stands only 10 dB out of coloured noise", () => {
    const errors = Array.from({ length: 12 }, (_, index) => {
      const white = withNoise(silence(2000), -40, `hiss ${index}`);
      const call = white.map((sample, at) => sample + (white[at - 1] ?? 0) + (white[at - 2] ?? 0));
      const sound = withNoise(silence(400), -25, `sound ${index}`);
      for (const [at, sample] of sound.entries()) call[6000 + at] = (call[6000 + at] ?? 0) + sample;
      const [segment] = detectSpeech(call, RATE_HZ);
      const { startSample = 0, endSample = 0, onsetUncertaintySamples = 0 } = segment ?? {};
      expect(onsetUncertaintySamples).toBeGreaterThan(0);
      return [Math.abs(ms(startSample) - 750), Math.abs(ms(endSample) - 1150)];
    });

    expect(mean(errors.flat())).toBeLessThan(2);
  });

  it("returns segments in order that do not overlap and lie inside (noise bursts)", () => {
    const random = seededRandom("bursts");
    const parts = Array.from({ length: 40 }, (_, index) => {
      const part = silence(Math.round(20 + 500 * random()));
      return index % 2 === 0 ? part : withNoise(part, -60 + 50 * random(), `burst ${index}`);
    });
    const call = concat(...parts);

    const segments = detectSpeech(call, RATE_HZ, { joinGapMs: 50, minSpeechMs: 20 });

    expect(segments.length).toBeGreaterThan(5);
    for (const [index, { startSample, endSample }] of segments.entries()) {
      expect(startSample).toBeGreaterThanOrEqual(segments[index - 1]?.endSample ?? 0);
      expect(endSample).toBeGreaterThan(startSample);
      expect(endSample).toBeLessThanOrEqual(call.length);
      expect(levelDbov(call.subarray(startSample, endSample))).toBeGreaterThan(-66);
    }
  });
});
