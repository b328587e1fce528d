import { beforeAll, describe, expect, it } from "vitest";
import { locateSpeech, resample } from "../../../src/audio/index.ts";
import { loadCodecs } from "../../../src/codec/index.ts";
import {
  DELAY_BOUND_COVERED,
  DELAY_ROWS,
  inTurn,
  measureLocatedRow,
} from "../../../src/testing/index.ts";
import { speechOf, voicesOf } from "./fixture-voices.ts";

const SEED = "locate-1";
/** Edges are those of the clean recording, so that only the delay of a window errs. */
const BOUND_MS = 0.25;

beforeAll(async () => {
  await loadCodecs(["opus"]);
});

describe("locateSpeech", () => {
  it.each(DELAY_ROWS)(`finds each utterance among all others on $name (seed ${SEED})`, (row) => {
    const voices = voicesOf("bot");
    const { errorsMs, missed, coveredRatio } = measureLocatedRow(row, voices, SEED);

    expect(missed).toBe(0);
    expect(errorsMs).toHaveLength(2 * voices.length);
    expect(Math.max(...errorsMs)).toBeLessThan(BOUND_MS);
    expect(coveredRatio).toBeGreaterThanOrEqual(DELAY_BOUND_COVERED);
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
