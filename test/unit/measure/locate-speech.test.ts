import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { decodeWav, type KnownSpeech, locateSpeech, resample } from "../../../src/audio/index.ts";
import { loadCodecs } from "../../../src/codec/index.ts";
import { type LineInjuries, overInjuredLine, speechOf } from "./injured-line.ts";

const SEED = "locate-1";
const FOLDER = new URL("../../../fixtures/voices/", import.meta.url);

interface CatalogueEntry {
  readonly file: string;
  readonly onsetMs: number;
  readonly offsetMs: number;
}

/** Every recorded utterance of one side, at one rate, as annotated. */
function voicesOf(side: "bot" | "caller"): (KnownSpeech & { readonly file: string })[] {
  const text = readFileSync(new URL(`${side}/voices.json`, FOLDER), "utf8");
  return (JSON.parse(text) as readonly CatalogueEntry[]).map(({ file, onsetMs, offsetMs }) => {
    const wav = decodeWav(readFileSync(new URL(`${side}/${file}`, FOLDER)));
    const samples = wav.channels[0] ?? new Int16Array(0);
    return { file, samples, sampleRateHz: wav.sampleRateHz, onsetMs, offsetMs };
  });
}

/** One after the other, with pauses; where each begins. */
function inTurn(
  voices: readonly KnownSpeech[],
  sampleRateHz: number,
): {
  readonly samples: Int16Array;
  readonly startsMs: readonly number[];
} {
  const parts = voices.map((voice) => resample(voice.samples, voice.sampleRateHz, sampleRateHz));
  const pause = Math.round(0.913 * sampleRateHz);
  const length = parts.reduce((sum, part) => sum + part.length + pause, pause);
  const samples = new Int16Array(length);
  const startsMs: number[] = [];
  let at = pause;
  for (const part of parts) {
    startsMs.push((at * 1000) / sampleRateHz);
    samples.set(part, at);
    at += part.length + pause;
  }
  return { samples, startsMs };
}

const LINES: readonly (Omit<LineInjuries, "seed"> & { readonly name: string })[] = [
  { name: "G.711", codec: "PCMU", sentHz: 8000, heardHz: 8000 },
  {
    name: "G.711, 10 dB, 10 % lost",
    codec: "PCMU",
    sentHz: 8000,
    heardHz: 8000,
    snrDb: 10,
    loss: 0.1,
  },
  { name: "G.722, 10 dB, 24 → 16 kHz", codec: "G722", sentHz: 24_000, heardHz: 16_000, snrDb: 10 },
  { name: "Opus, 10 dB, 24 → 48 kHz", codec: "opus", sentHz: 24_000, heardHz: 48_000, snrDb: 10 },
];

beforeAll(async () => {
  await loadCodecs(["opus"]);
});

describe("locateSpeech", () => {
  it.each(LINES)(`finds each utterance among all others on $name (seed ${SEED})`, (line) => {
    const voices = voicesOf("bot");
    const { samples, startsMs } = inTurn(voices, line.sentHz);
    const { heard, truthMs, sent } = overInjuredLine(samples, { ...line, seed: SEED });

    for (const [index, voice] of voices.entries()) {
      const found = locateSpeech(voice, heard);
      const startMs = sent.startMs + (startsMs[index] ?? 0) + truthMs;
      const onsetError = Math.abs((found?.onset.atMs ?? 0) - startMs - voice.onsetMs);
      const offsetError = Math.abs((found?.offset.atMs ?? 0) - startMs - voice.offsetMs);
      expect([voice.file, onsetError < 0.25, offsetError < 0.25]).toEqual([voice.file, true, true]);
      expect(onsetError).toBeLessThanOrEqual(found?.onset.uncertaintyMs ?? 0);
      expect(offsetError).toBeLessThanOrEqual(found?.offset.uncertaintyMs ?? 0);
    }
  });

  it("finds the utterance that is meant, where it is said twice", () => {
    const [voice] = voicesOf("caller");
    if (voice === undefined) throw new Error("there are voices");
    const { samples, startsMs } = inTurn([voice, voice, voice], 8000);
    const recording = { samples, sampleRateHz: 8000, startMs: 500 };

    for (const startMs of startsMs) {
      const range = { fromMs: 500 + startMs - 300, toMs: 500 + startMs + 300 };
      const found = locateSpeech(voice, recording, range);
      expect(found?.onset.atMs).toBeCloseTo(500 + startMs + voice.onsetMs, 0);
    }
  });

  it("gives each end of an utterance its own delay, where a buffer moved in between", () => {
    const voice = voicesOf("bot").reduce((a, b) => (a.samples.length > b.samples.length ? a : b));
    const samples = resample(voice.samples, voice.sampleRateHz, 8000);
    const cut = Math.round(samples.length / 2);
    const moved = new Int16Array(samples.length + 360);
    moved.set(samples.subarray(0, cut));
    moved.set(samples.subarray(cut), cut + 360);
    const found = locateSpeech(voice, { samples: moved, sampleRateHz: 8000, startMs: 0 });

    expect(Math.abs((found?.onset.atMs ?? 0) - voice.onsetMs)).toBeLessThan(0.1);
    expect(Math.abs((found?.offset.atMs ?? 0) - voice.offsetMs - 45)).toBeLessThan(0.1);
  });

  it("finds nothing where something else is said, or nothing", () => {
    const other = { samples: speechOf("caller", 20, 8000), sampleRateHz: 8000, startMs: 0 };
    for (const voice of voicesOf("bot")) {
      expect(locateSpeech(voice, other)).toBeUndefined();
      expect(locateSpeech(voice, { ...other, samples: new Int16Array(0) })).toBeUndefined();
    }
  });
});
