import { resample } from "../resampler.ts";

/** Where everything is correlated: what a telephone passes lies below 4 kHz. */
export const NARROW_HZ = 8000;
/** Reads begin on this grid (10 ms), where all sensible rates have a whole sample. */
export const GRID_SAMPLES = 80;

/** A signal on a clock: sample 0 stands at `startMs`. */
export interface PlacedAudio {
  readonly samples: Int16Array;
  readonly sampleRateHz: number;
  readonly startMs: number;
}

/** The context that the resampler needs on either side: 32 samples of the lower rate, rounded up. */
const CONTEXT_GRIDS = 1;

/**
 * Reads stretches of a recording at 8 kHz. It converts only what is read, so that a long recording
 * costs no second copy.
 */
export class NarrowReader {
  readonly startMs: number;
  /** Samples at 8 kHz. */
  readonly length: number;
  readonly #samples: Int16Array;
  readonly #sampleRateHz: number;

  constructor({ samples, sampleRateHz, startMs }: PlacedAudio) {
    this.#samples = samples;
    this.#sampleRateHz = sampleRateHz;
    this.startMs = startMs;
    this.length = Math.floor((samples.length * NARROW_HZ) / sampleRateHz);
  }

  /** The nearest position on the grid to an instant. */
  positionAt(ms: number): number {
    return Math.round(((ms - this.startMs) * NARROW_HZ) / 1000 / GRID_SAMPLES) * GRID_SAMPLES;
  }

  /** The instant of a position, fractions allowed. */
  msAt(position: number): number {
    return this.startMs + (position * 1000) / NARROW_HZ;
  }

  /** Fills `output` from `from` (on the grid) on; silence outside of the recording. */
  read(from: number, output: Float64Array): void {
    const to = from + output.length;
    const first = Math.max(0, from);
    const last = Math.min(this.length, to);
    output.fill(0);
    if (last <= first) return;
    output.set(this.#narrow(first, last), first - from);
  }

  #narrow(from: number, to: number): Int16Array {
    if (this.#sampleRateHz === NARROW_HZ) return this.#samples.subarray(from, to);
    const context = CONTEXT_GRIDS * GRID_SAMPLES;
    const begin = Math.max(0, from - context);
    const end = to + context;
    const ratio = this.#sampleRateHz / NARROW_HZ;
    const cut = this.#samples.subarray(Math.round(begin * ratio), Math.ceil(end * ratio));
    const narrow = resample(cut, this.#sampleRateHz, NARROW_HZ);
    return narrow.subarray(from - begin, to - begin);
  }
}
