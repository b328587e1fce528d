import { fitPrediction, type LinearPrediction, predictionError } from "./linear-prediction.ts";

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
  return edge ?? likelyEdge(search);
}

/** The outermost crossing of the level that defines an edge, if there is one. */
function levelEdge(search: EdgeSearch, offset: number, noise: number): Edge | undefined {
  const outer = crossing(search, offset, search.edgeVariance + noise);
  if (outer === undefined) return undefined;
  const inner = crossing(search, offset, 2 * search.edgeVariance + noise) ?? outer;
  const msSamples = Math.ceil(search.sampleRateHz / 1000);
  return { sample: outer, uncertaintySamples: Math.abs(inner - outer) + msSamples };
}

/** The middle of the outermost 5 ms whose variance about `offset` is above `limit`. */
function crossing(search: EdgeSearch, offset: number, limit: number): number | undefined {
  const { samples, sampleRateHz, kind } = search;
  const from = kind === "onset" ? search.from : search.innermost;
  const to = kind === "onset" ? search.innermost : search.to;
  const length = Math.round((LEVEL_WINDOW_MS * sampleRateHz) / 1000);
  const hop = Math.round(sampleRateHz / 1000);
  const places = Math.floor((to - from - length) / hop) + 1;
  for (let place = 0; place < places; place += 1) {
    const start = kind === "onset" ? from + place * hop : to - length - place * hop;
    if (variance(samples.subarray(start, start + length), offset) > limit) {
      return start + (length >> 1);
    }
  }
  return undefined;
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
