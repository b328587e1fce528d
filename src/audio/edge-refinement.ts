import { BAND_HOP_MS, bandLikelihoods } from "./band-likelihood.ts";
import { fitPrediction, type LinearPrediction, predictionError } from "./linear-prediction.ts";
import { outermostCrossing } from "./short-energy.ts";

/** Where an edge of speech is looked for, and what its background is known from. */
export interface EdgeSearch {
  readonly samples: Float64Array;
  readonly sampleRateHz: number;
  readonly kind: "onset" | "offset";
  /** The range of samples in which the edge lies, if noise must be told from speech. */
  readonly from: number;
  readonly to: number;
  /** How far into the speech the edge may lie if all before (or after) it is faint. */
  readonly innermost: number;
  /** A stretch of background close by. */
  readonly background: Float64Array;
  /** The mean square that sound has at its edge, by definition, where no noise hides it. */
  readonly edgeVariance: number;
  /** The same may be this many times as strong, or weak. */
  readonly doubtRatio: number;
}

/** An edge, and how far on either side it might as well be. */
export interface Edge {
  readonly sample: number;
  readonly uncertaintySamples: number;
}

const LEVEL_WINDOW_MS = 5;
const PREDICTION_ORDER = 10;
/** The variance of speech just past its edge, against that of the background. */
const VARIANCE_RATIO = 3;
/** Samples that a millisecond counts for: those of 8 kHz, at any rate, as speech is no wider. */
const SAMPLES_PER_MS = 8;
/** No millisecond may count for more, or one click would outvote its surroundings. */
const STEP_MAX = 6;
/**
 * None may count for less than the background itself does on average, or the perfect silence of a
 * closure would outvote the burst that follows it.
 */
const STEP_MIN = (SAMPLES_PER_MS / 2) * (1 - 1 / VARIANCE_RATIO - Math.log(VARIANCE_RATIO));

/** The smallest step of µ-law: what is about as faint comes out as nothing or as twice as much. */
const QUANTISER_STEP = 8;

/** What is weaker and farther off than the closure before a consonant is another sound. */
const WEAKER_REACH_MS = 150;
/** The background near the edge may be louder yet than the loudest of what it is known by. */
const LOUDER_YET = 2;
/** Where it would then pass for speech, the level is looked at in no more than the innermost 210 ms. */
const LEVEL_REACH_MS = 210;

/** How far outside of the likely edge the level may be crossed, in frames. */
const CROSSING_MARGIN_FRAMES = 8;
/** Half of the bands' window. */
const SHARPER_MS = 10;
/** Bands that are lost in the noise are missing from the estimate: found best on known dialogues. */
const CROSSING_SHARE = 0.8;
/**
 * What a noise hides of the weak beginnings and ends of words: so much per decibel by which it is
 * above `HIDDEN_FROM_DB` of the edge by definition. Set on dialogues of known truth, to cover 95 %.
 */
const HIDDEN_FROM_DB = -6;
const HIDDEN_MS_PER_DB = 12;
const HIDDEN_MS_MAX = 300;

/**
 * Finds an edge of speech to about a millisecond; it looks on both sides of the edge, so it is for
 * measurements.
 *
 * Where the background is low enough, an edge is where the sound crosses `edgeVariance`. In more
 * noise than that it is the change point of greatest likelihood (CUSUM) between background and a
 * signal of `VARIANCE_RATIO` times its variance, on 1 ms energies after whitening the background.
 */
export function refineEdge(search: EdgeSearch): Edge {
  const { background, edgeVariance } = search;
  // A-law's idle code is a DC of 8, and is silence.
  const offset = background.reduce((a, b) => a + b, 0) / Math.max(1, background.length);
  const noise = variance(background, offset);
  const edge = noise < edgeVariance ? levelEdge(search, offset, noise) : undefined;
  if (edge !== undefined && loudestNoise(search, offset) < edgeVariance) return edge;
  return bandEdge(search, noise) ?? edge ?? likelyEdge(search);
}

/** The outermost crossing of the level that defines an edge, if there is one. */
function levelEdge(whole: EdgeSearch, offset: number, noise: number): Edge | undefined {
  const louderYet = LOUDER_YET * loudestNoise(whole, offset);
  const search = louderYet < whole.edgeVariance ? whole : innermost(whole, LEVEL_REACH_MS);
  const outer = crossing(search, offset, search.edgeVariance + noise);
  if (outer === undefined) return undefined;
  const { edgeVariance } = search;
  const coarseness = (1 + QUANTISER_STEP / Math.sqrt(edgeVariance)) ** 2;
  const doubtRatio = Math.max(search.doubtRatio, coarseness);
  const inner = crossing(search, offset, doubtRatio * edgeVariance + noise) ?? outer;
  // What a codec may have weakened; not the background's own loudest, which is no speech.
  const weaker = Math.max(edgeVariance / doubtRatio + noise, louderYet);
  const beyond = reaching(search, outer, WEAKER_REACH_MS);
  const outermost = crossing(beyond, offset, Math.min(weaker, edgeVariance + noise)) ?? outer;
  const msSamples = Math.ceil(search.sampleRateHz / 1000);
  const doubt = Math.max(Math.abs(inner - outer), Math.abs(outer - outermost));
  return { sample: outer, uncertaintySamples: doubt + msSamples };
}

/** The part of the search that reaches no farther beyond `sample` than this. */
function reaching(search: EdgeSearch, sample: number, reachMs: number): EdgeSearch {
  const { kind, from, to, sampleRateHz } = search;
  const reach = Math.round((reachMs * sampleRateHz) / 1000);
  if (kind === "onset") return { ...search, from: Math.max(from, sample - reach) };
  return { ...search, to: Math.min(to, sample + reach) };
}

/** The part of the search that lies farthest into the speech. */
function innermost(search: EdgeSearch, lengthMs: number): EdgeSearch {
  const { kind, from, to, sampleRateHz } = search;
  const length = Math.round((lengthMs * sampleRateHz) / 1000);
  if (kind === "onset") return { ...search, from: Math.max(from, to - length) };
  return { ...search, to: Math.min(to, from + length) };
}

/** The variance of the background in its loudest 5 ms: coloured noise comes and goes. */
function loudestNoise({ background, sampleRateHz }: EdgeSearch, offset: number): number {
  const length = Math.round((LEVEL_WINDOW_MS * sampleRateHz) / 1000);
  if (background.length <= length) return variance(background, offset);
  let loudest = 0;
  for (let start = 0; start + length <= background.length; start += length) {
    loudest = Math.max(loudest, variance(background.subarray(start, start + length), offset));
  }
  return loudest;
}

/**
 * The edge in noise, by bands: where the speech alone crosses `edgeVariance`, or, where that lies
 * below the noise, the change point of greatest likelihood. `undefined` without a known background.
 */
function bandEdge(search: EdgeSearch, noise: number): Edge | undefined {
  const { sampleRateHz, kind, edgeVariance } = search;
  const frames = bandLikelihoods({ ...search, leastVariance: edgeVariance / 8 });
  if (frames === undefined) return undefined;
  if (kind === "offset") for (const array of Object.values(frames)) array.reverse();
  const { best, spread } = changePoint(frames.ratios);
  const outermost = Math.max(0, best - CROSSING_MARGIN_FRAMES);
  const crossed =
    noise < 2 * edgeVariance
      ? frames.excess.findIndex(
          (power, frame) => frame >= outermost && power > CROSSING_SHARE * edgeVariance,
        )
      : -1;
  const inner = frames.excess.findIndex(
    (power, frame) => frame >= outermost && power > 2 * edgeVariance,
  );
  const sharp = crossed < 0 ? sharperEdge(search, best, frames.ratios.length) : undefined;
  if (sharp !== undefined) return sharp;
  const frame = crossed < 0 ? best : crossed;
  const hop = (BAND_HOP_MS * sampleRateHz) / 1000;
  const place = kind === "onset" ? frame : frames.ratios.length - frame;
  const doubt = crossed < 0 ? spread : Math.max(Math.abs(crossed - best), inner - crossed) + 1;
  return {
    sample: search.from + Math.round(place * hop),
    uncertaintySamples: Math.round(doubt * hop) + hiddenSamples(noise / edgeVariance, sampleRateHz),
  };
}

/**
 * A steep sound enters the bands' long window before it begins: where whitened milliseconds see the
 * change within that window, they see it better.
 */
function sharperEdge(search: EdgeSearch, best: number, frameCount: number): Edge | undefined {
  const edge = likelyEdge(search);
  const place = search.kind === "onset" ? best : frameCount - best;
  const hop = (BAND_HOP_MS * search.sampleRateHz) / 1000;
  const inward = (search.kind === "onset" ? 1 : -1) * (edge.sample - search.from - place * hop);
  if (inward < 0 || inward > SHARPER_MS * hop) return undefined;
  const noise = variance(search.background, 0);
  const hidden = hiddenSamples(noise / search.edgeVariance, search.sampleRateHz);
  return { ...edge, uncertaintySamples: edge.uncertaintySamples + hidden };
}

/**
 * How much of a word's weak beginning or end may be hidden where the noise is so many times as
 * strong as the edge by definition.
 */
function hiddenSamples(ratio: number, sampleRateHz: number): number {
  const hiddenDb = Math.max(0, 10 * Math.log10(ratio) - HIDDEN_FROM_DB);
  return Math.round((Math.min(HIDDEN_MS_MAX, HIDDEN_MS_PER_DB * hiddenDb) * sampleRateHz) / 1000);
}

/** The outermost 5 ms whose variance about `mean` is above `limit`. */
function crossing(search: EdgeSearch, mean: number, limit: number): number | undefined {
  const from = search.kind === "onset" ? search.from : search.innermost;
  const to = search.kind === "onset" ? search.innermost : search.to;
  return outermostCrossing({ ...search, from: Math.max(0, from), to, mean }, limit);
}

/** The change point of greatest likelihood between background and speech. */
function likelyEdge(search: EdgeSearch): Edge {
  const { samples, sampleRateHz, from, to, kind } = search;
  const prediction = fitPrediction(search.background, PREDICTION_ORDER, search.edgeVariance / 2);
  const steps = Math.max(1, Math.floor(((to - from) * 1000) / sampleRateHz));
  const boundary = (step: number): number => from + Math.round((step * sampleRateHz) / 1000);
  const ratios = Float64Array.from({ length: steps }, (_, step) =>
    likelihoodRatio(samples, boundary(step), boundary(step + 1), prediction),
  );
  if (kind === "offset") ratios.reverse();
  const { best, spread } = changePoint(ratios);
  return {
    sample: boundary(kind === "onset" ? best : steps - best),
    uncertaintySamples: boundary(spread) - from,
  };
}

function variance(samples: Float64Array, offset: number): number {
  let sum = 0;
  for (let index = 0; index < samples.length; index += 1) {
    sum += ((samples[index] as number) - offset) ** 2;
  }
  return sum / Math.max(1, samples.length);
}

/** The log-likelihood ratio, speech against background, of the samples in [from, to). */
function likelihoodRatio(
  samples: Float64Array,
  from: number,
  to: number,
  prediction: LinearPrediction,
): number {
  let energy = 0;
  for (let index = from; index < to; index += 1) {
    energy += predictionError(samples, index, prediction) ** 2;
  }
  const relative = energy / (to - from) / prediction.errorVariance;
  const gain = relative * (1 - 1 / VARIANCE_RATIO) - Math.log(VARIANCE_RATIO);
  return Math.max(STEP_MIN, Math.min(STEP_MAX, (SAMPLES_PER_MS / 2) * gain));
}

/** Where the running sum is least, and the farthest place that is about as likely. */
function changePoint(ratios: Float64Array): { best: number; spread: number } {
  const sums = new Float64Array(ratios.length + 1);
  let best = 0;
  for (const [step, ratio] of ratios.entries()) {
    sums[step + 1] = (sums[step] as number) + ratio;
    if ((sums[step + 1] as number) < (sums[best] as number)) best = step + 1;
  }
  const limit = (sums[best] as number) + STEP_MAX;
  let spread = 1;
  for (const [step, sum] of sums.entries()) {
    if (sum <= limit) spread = Math.max(spread, Math.abs(step - best));
  }
  return { best, spread };
}
