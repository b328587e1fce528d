/** The window by which an edge of speech is defined (fixtures/README.md). */
const WINDOW_MS = 5;

/**
 * How far outside of its first and last sample a sound that begins and ends at once has its edges, by
 * that definition: the window sees it, and is not in it yet, by half of its length.
 */
export const ABRUPT_EDGE_MS: number = WINDOW_MS / 2;

/** A range of samples, seen from its start or, for an offset, from its end. */
export interface CrossingSearch {
  readonly samples: Float64Array;
  readonly sampleRateHz: number;
  readonly kind: "onset" | "offset";
  readonly from: number;
  readonly to: number;
  /** The mean of silence. */
  readonly mean: number;
}

/** Length of the window in samples: even, so that it has a middle. */
function windowSamples(sampleRateHz: number): number {
  return 2 * Math.round((WINDOW_MS * sampleRateHz) / 2000);
}

/** The mean square of the loudest 5 ms, about the mean of `samples`. */
export function loudestVariance(samples: Float64Array, sampleRateHz: number): number {
  const length = windowSamples(sampleRateHz);
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / Math.max(1, samples.length);
  let energy = 0;
  let most = 0;
  for (let index = 0; index < samples.length; index += 1) {
    energy += ((samples[index] as number) - mean) ** 2;
    if (index >= length) energy -= ((samples[index - length] as number) - mean) ** 2;
    most = Math.max(most, energy);
  }
  return most / length;
}

/** The middle of the outermost 5 ms whose variance is above `limit`, to the sample. */
export function outermostCrossing(search: CrossingSearch, limit: number): number | undefined {
  const { samples, sampleRateHz, kind, from, to, mean } = search;
  const length = windowSamples(sampleRateHz);
  const [first, step] = kind === "onset" ? [from, 1] : [to - 1, -1];
  const count = to - from;
  const square = (place: number): number => ((samples[first + step * place] as number) - mean) ** 2;
  let energy = 0;
  for (let place = 0; place < count; place += 1) {
    energy += square(place);
    if (place >= length) energy -= square(place - length);
    if (place >= length - 1 && energy > limit * length) {
      return first + step * (place - length / 2);
    }
  }
  return undefined;
}
