import { activePatches, PATCH_FRAMES } from "./active-patches.ts";
import { envelopeLag, shifted } from "./alignment.ts";
import { GammatoneBank, gammatoneCentres } from "./gammatone.ts";
import { matchPatches, type PatchMatch } from "./match-patches.ts";
import { preparePatch, similarityByBand, similarityOf } from "./nsim.ts";
import { HOP_MS, levelFloors, spectrogramOf } from "./spectrogram.ts";

/** What ViSQOL makes of two recordings. */
export interface VisqolResult {
  /** 1 to 5; an objective estimate of listening quality. */
  readonly mosLqo: number;
  /** Mean similarity of the patches, to 1. */
  readonly similarity: number;
  /** Stretches of 0.4 s that were compared; those that have no match count as 0. */
  readonly patches: number;
  readonly unmatchedPatches: number;
}

/** The one rate that it is made for. */
export const VISQOL_SAMPLE_RATE_HZ = 16_000;
const HOP_SAMPLES = (VISQOL_SAMPLE_RATE_HZ * HOP_MS) / 1000;
const HOP_S = HOP_SAMPLES / VISQOL_SAMPLE_RATE_HZ;
const BANDS = 21;
const LOWEST_HZ = 50;
const HIGHEST_HZ = 8000;
/** How far around its place a patch is looked for, in patches. */
const SEARCH_PATCHES = 60;
/** Below this similarity it is not the same speech. */
const SIMILARITY_MIN = 0.15;

const BANK = new GammatoneBank(
  gammatoneCentres(LOWEST_HZ, HIGHEST_HZ, BANDS),
  VISQOL_SAMPLE_RATE_HZ,
);

/**
 * ViSQOL v3, speech mode with the exponential map (Chinen et al., 2020; google/visqol, Apache-2.0):
 * how like the reference the degraded speech is to an ear, and what a listener would say of it.
 *
 * It sees noise, coding and bandwidth. It hardly sees loss and clipping, and not at all gain and
 * delay: never judge by it alone. Both at 16 kHz; it takes about a tenth of their length on one core.
 *
 * @returns `undefined` where either is too short, or nobody speaks in the reference.
 */
export function visqol(reference: Int16Array, degraded: Int16Array): VisqolResult | undefined {
  const original = asFractions(reference);
  const heard = asFractions(degraded);
  if (isSilent(original) || isSilent(heard)) return undefined;
  const pair = withEqualPower(original, shifted(heard, envelopeLag(original, heard)));
  if (pair === undefined) return undefined;
  const matches = matched(pair);
  if (matches === undefined) return undefined;
  const similarities = matches.map((match) => finelyAligned(match, pair));
  const similarity = similarities.reduce((sum, each) => sum + each, 0) / similarities.length;
  return {
    mosLqo: similarity < SIMILARITY_MIN ? 1 : mosOfSimilarity(similarity),
    similarity,
    patches: matches.length,
    unmatchedPatches: matches.filter(({ degradedFrame }) => degradedFrame === undefined).length,
  };
}

/** An exponential fitted to listening tests, scaled so that no difference at all gives 5. */
export function mosOfSimilarity(similarity: number): number {
  const mos = -262.847_869 + Math.exp(0.015_430_252_5 * (similarity + 361.063_949));
  return Math.max(1, Math.min(5, 1.245_063 * mos));
}

interface SoundPair {
  readonly reference: Float64Array;
  readonly degraded: Float64Array;
}

function asFractions(sound: Int16Array): Float64Array {
  return Float64Array.from(sound, (sample) => sample / 32_768);
}

function isSilent(sound: Float64Array): boolean {
  return sound.every((sample) => sample === 0);
}

function withEqualPower(reference: Float64Array, degraded: Float64Array): SoundPair | undefined {
  const gain = Math.sqrt(powerOf(reference) / powerOf(degraded));
  if (!Number.isFinite(gain)) return undefined;
  return { reference, degraded: degraded.map((sample) => sample * gain) };
}

function powerOf(sound: Float64Array): number {
  return sound.reduce((sum, sample) => sum + sample * sample, 0) / sound.length;
}

function matched({ reference, degraded }: SoundPair): PatchMatch[] | undefined {
  const spectrogram = spectrogramOf(reference, VISQOL_SAMPLE_RATE_HZ, BANK);
  const heard = spectrogramOf(degraded, VISQOL_SAMPLE_RATE_HZ, BANK);
  if (spectrogram === undefined || heard === undefined) return undefined;
  levelFloors(spectrogram, heard);
  return matchPatches(
    {
      spectrogram,
      starts: activePatches(reference, HOP_SAMPLES, spectrogram.frames),
      frames: PATCH_FRAMES,
      searchFrames: SEARCH_PATCHES * PATCH_FRAMES,
    },
    heard,
  );
}

/** Frames are 20 ms apart, so the matched stretches are aligned to the sample, and compared anew. */
function finelyAligned(match: PatchMatch, pair: SoundPair): number {
  const coarse = similarityOf(match.byBand);
  if (match.degradedFrame === undefined) return coarse;
  const original = stretchAt(pair.reference, match.referenceFrame);
  const heard = stretchAt(pair.degraded, match.degradedFrame);
  const lag = envelopeLag(original, heard);
  const moved = shifted(heard, lag);
  // Seconds and back, as in the original: rounding may cost a sample, in both.
  const from = moved.length > original.length ? toSamples(lag / VISQOL_SAMPLE_RATE_HZ) : 0;
  const to = Math.min(original.length, moved.length);
  const one = spectrogramOf(original.subarray(from, to), VISQOL_SAMPLE_RATE_HZ, BANK);
  const other = spectrogramOf(moved.subarray(from, to), VISQOL_SAMPLE_RATE_HZ, BANK);
  if (one === undefined || other === undefined) return coarse;
  levelFloors(one, other);
  return Math.max(coarse, similarityOf(similarityByBand(preparePatch(one), preparePatch(other))));
}

/** The original cuts off the last sample of a sound. */
function stretchAt(sound: Float64Array, frame: number): Float64Array {
  const start = frame * HOP_S;
  const end = toSamples(start + PATCH_FRAMES * HOP_S);
  return sound.subarray(toSamples(start), Math.min(sound.length - 1, end));
}

function toSamples(seconds: number): number {
  return Math.max(0, Math.trunc(seconds * VISQOL_SAMPLE_RATE_HZ));
}
