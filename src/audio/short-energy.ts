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

/** The mean square of the loudest 5 ms. */
export interface Loudness {
  readonly variance: number;
  /** It may be this many times as strong, or weak. */
  readonly doubtRatio: number;
}

/** A codec, a filter or a hair's breadth in the level may move it by 4 dB. */
const USUAL_DOUBT_RATIO = 2.5;
/** What clipping took away is estimated to about 6 dB: speech of −9 to 0 dBov, 29 sentences. */
const CLIPPED_DOUBT_RATIO = 4;
/** From here on a sample is at the end of the scale: the loudest code of µ-law is 32,124. */
const CLIPPED_MIN = 32_000;
/** What is clipped all along says nothing of how loud it was. */
const CLIPPED_SHARE_MAX = 0.95;
/** Less of the loudest 5 ms than this moves no level by more than the usual doubt. */
const CLIPPED_SHARE_DOUBTFUL = 0.05;

/**
 * The loudest 5 ms, about the mean of `samples`. Where they are clipped they count as strong as
 * they would be if they were parts of a sine, of which clipping takes the same share of samples.
 */
export function loudestVariance(samples: Float64Array, sampleRateHz: number): Loudness {
  const length = windowSamples(sampleRateHz);
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / Math.max(1, samples.length);
  let energy = 0;
  let clipped = 0;
  let most = 0;
  let mostClipped = 0;
  for (let index = 0; index < samples.length; index += 1) {
    const sample = samples[index] as number;
    const oldest = index < length ? mean : (samples[index - length] as number);
    energy += (sample - mean) ** 2 - (oldest - mean) ** 2;
    clipped += Number(isClipped(sample)) - Number(isClipped(oldest));
    if (clipped === 0) most = Math.max(most, energy);
    else {
      const share = Math.min(CLIPPED_SHARE_MAX, clipped / length);
      most = Math.max(most, energy * unclippedRatio(share));
      mostClipped = Math.max(mostClipped, share);
    }
  }
  const isDoubtful = mostClipped >= CLIPPED_SHARE_DOUBTFUL;
  return {
    variance: most / length,
    doubtRatio: isDoubtful ? CLIPPED_DOUBT_RATIO : USUAL_DOUBT_RATIO,
  };
}

/** The power of a sine over what is left of it if this share of it is clipped. */
function unclippedRatio(share: number): number {
  const angle = (Math.PI / 2) * (1 - share);
  const power = 1 / Math.sin(angle) ** 2;
  const slopes = power * (angle / 2 - Math.sin(2 * angle) / 4);
  return power / 2 / ((2 / Math.PI) * (slopes + Math.PI / 2 - angle));
}

function isClipped(sample: number): boolean {
  return Math.abs(sample) >= CLIPPED_MIN;
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
