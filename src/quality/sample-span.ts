/** A stretch of samples of a channel: from `startSample` up to `endSample`. */
export interface SampleSpan {
  readonly startSample: number;
  /** Exclusive. */
  readonly endSample: number;
}

/** So many places of a kind are remembered: enough to listen to, and little to keep. */
export const PLACES_MAX = 100;
