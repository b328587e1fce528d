import { GRID_SAMPLES, NARROW_HZ, NarrowReader, type PlacedAudio } from "./narrow-reader.ts";
import { type CorrelationPeak, PhaseCorrelator } from "./phase-correlator.ts";

/** How much later a stretch of one recording is found in another. */
export interface LocalDelay {
  /** The middle of the stretch, on the reference's clock. */
  readonly atMs: number;
  readonly delayMs: number;
  /** The delay lies within ± this in 95 % of cases. */
  readonly uncertaintyMs: number;
  /** Height of the correlation's peak over its root mean square; 8 and more count. */
  readonly confidence: number;
  /** Correlation coefficient of the two stretches once aligned, −1 to 1. */
  readonly similarity: number;
  /** What is found is this much louder than the reference. */
  readonly gainDb: number;
}

/** What to search for and how far. */
export interface DelayFinderOptions {
  /** Where the delay may lie; default −100 to 2000 ms. */
  readonly leastMs?: number;
  readonly mostMs?: number;
  /** Least correlation coefficient of the aligned stretches; default 0.25. */
  readonly leastSimilarity?: number;
}

/** What came of one stretch: nothing to compare, no delay that would be sure, or a delay. */
export type DelayOutcome = LocalDelay | "silent" | "unsure";

/** Windows of 1 s: shorter ones are mistaken more often (audio-dsp.md §6). */
export const WINDOW_MS = 1000;
const WINDOW_SAMPLES = (WINDOW_MS * NARROW_HZ) / 1000;
/** Blocks in which a delay is searched for that may be anything: a second of lags at a time. */
const WIDE_SAMPLES = 16_384;
const WIDE_LAGS = Math.floor((WIDE_SAMPLES - WINDOW_SAMPLES) / GRID_SAMPLES) * GRID_SAMPLES;
/**
 * Blocks for one that hardly changed: ±50 ms. The longest lags wrap round by 0.1 s of the window,
 * which lowers their peaks by as much, and saves half of the work.
 */
const NEAR_SAMPLES = 8192;
const NEAR_LAGS = 800;
/**
 * Unrelated speech and noise stay below 6, the right place at 10 dB SNR and 10 % loss above 11
 * (ADR 0035).
 */
const CONFIDENCE_MIN = 8;
const LEAST_SIMILARITY = 0.25;
/** 95 % of errors are below this over the confidence, and never below the floor (ADR 0035). */
const UNCERTAINTY_MS = 0.5;
const UNCERTAINTY_MS_MIN = 0.1;
/** A window is worth comparing with this much sound in it, at most this far below its loudest. */
const SOUND_MS_MIN = 150;
const SOUND_RANGE_DB = 30;
/** Root mean square of 10 ms below which all is silence: −63 dBov. */
const SILENCE_RMS = 23;

/**
 * Finds how much later what was recorded at one place was recorded at another, stretch by stretch.
 * It looks near the last delay first, and everywhere where that fails.
 */
export class DelayFinder {
  readonly #reference: NarrowReader;
  readonly #observed: NarrowReader;
  readonly #leastSamples: number;
  readonly #mostSamples: number;
  readonly #leastSimilarity: number;
  readonly #near = new Search(NEAR_SAMPLES, NEAR_LAGS);
  readonly #wide = new Search(WIDE_SAMPLES, WIDE_LAGS);
  readonly #window = new Float64Array(WINDOW_SAMPLES);
  #lastMs: number | undefined;

  constructor(reference: PlacedAudio, observed: PlacedAudio, options: DelayFinderOptions = {}) {
    this.#reference = new NarrowReader(reference);
    this.#observed = new NarrowReader(observed);
    this.#leastSamples = ((options.leastMs ?? -100) * NARROW_HZ) / 1000;
    this.#mostSamples = ((options.mostMs ?? 2000) * NARROW_HZ) / 1000;
    this.#leastSimilarity = options.leastSimilarity ?? LEAST_SIMILARITY;
  }

  /** Near which delay the next window is searched first. */
  expect(delayMs: number): void {
    this.#lastMs = delayMs;
  }

  /** How much later the window of 1 s from `fromMs` (reference's clock) on is found. */
  at(fromMs: number): DelayOutcome {
    const position = this.#reference.positionAt(fromMs);
    this.#reference.read(position, this.#window);
    if (!hasSound(this.#window)) return "silent";
    const found = this.#searchNear(position) ?? this.#searchAll(position);
    this.#lastMs = found?.delayMs ?? this.#lastMs;
    return found ?? "unsure";
  }

  #searchNear(position: number): LocalDelay | undefined {
    if (this.#lastMs === undefined) return undefined;
    this.#near.correlator.setReference(this.#window);
    const expected = (this.#lastMs * NARROW_HZ) / 1000;
    return this.#search(position, expected - NEAR_LAGS / 2, this.#near);
  }

  #searchAll(position: number): LocalDelay | undefined {
    this.#wide.correlator.setReference(this.#window);
    let best: LocalDelay | undefined;
    for (let lag = this.#leastSamples; lag <= this.#mostSamples; lag += WIDE_LAGS) {
      const found = this.#search(position, lag, this.#wide);
      if (found !== undefined && found.confidence > (best?.confidence ?? 0)) best = found;
    }
    return best;
  }

  #search(position: number, leastLag: number, search: Search): LocalDelay | undefined {
    const referenceMs = this.#reference.msAt(position);
    const from = this.#observed.positionAt(referenceMs + (leastLag * 1000) / NARROW_HZ);
    this.#observed.read(from, search.block);
    const peak = search.correlator.findPeak(search.block, search.lagCount);
    if (peak.prominence < CONFIDENCE_MIN) return undefined;
    const { similarity, gainDb } = compare(this.#window, search.block, Math.round(peak.lag));
    if (similarity < this.#leastSimilarity) return undefined;
    return {
      atMs: referenceMs + WINDOW_MS / 2,
      delayMs: this.#observed.msAt(from + peak.lag) - referenceMs,
      uncertaintyMs: uncertaintyOf(peak),
      confidence: peak.prominence,
      similarity,
      gainDb,
    };
  }
}

/** Blocks of one size, and how many lags are looked at in each. */
class Search {
  readonly correlator: PhaseCorrelator;
  readonly block: Float64Array;
  readonly lagCount: number;

  constructor(size: number, lagCount: number) {
    this.correlator = new PhaseCorrelator(size);
    this.block = new Float64Array(size);
    this.lagCount = lagCount;
  }
}

/** Where a part of the window has another delay, that one may be the right one at an instant. */
function uncertaintyOf({ lag, prominence, rivalLag }: CorrelationPeak): number {
  const own = Math.max(UNCERTAINTY_MS_MIN, UNCERTAINTY_MS / prominence);
  if (rivalLag === undefined) return own;
  return Math.max(own, (Math.abs(rivalLag - lag) * 1000) / NARROW_HZ);
}

function compare(
  window: Float64Array,
  block: Float64Array,
  lag: number,
): { readonly similarity: number; readonly gainDb: number } {
  let [product, own, other] = [0, 0, 0];
  const length = Math.min(window.length, block.length - lag);
  for (let index = 0; index < length; index += 1) {
    const x = window[index] as number;
    const y = block[index + lag] as number;
    product += x * y;
    own += x * x;
    other += y * y;
  }
  if (own === 0 || other === 0) return { similarity: 0, gainDb: 0 };
  const similarity = product / Math.sqrt(own * other);
  return { similarity, gainDb: 20 * Math.log10(Math.max(1e-6, product / own)) };
}

function hasSound(samples: Float64Array): boolean {
  const frames: number[] = [];
  for (let at = 0; at < samples.length; at += GRID_SAMPLES) {
    let power = 0;
    for (let index = at; index < at + GRID_SAMPLES; index += 1) {
      power += (samples[index] as number) ** 2;
    }
    frames.push(Math.sqrt(power / GRID_SAMPLES));
  }
  const loudest = Math.max(...frames);
  const limit = Math.max(SILENCE_RMS, loudest / 10 ** (SOUND_RANGE_DB / 20));
  return frames.filter((rms) => rms >= limit).length * 10 >= SOUND_MS_MIN;
}
