import type { Instant } from "../environment/index.ts";

/** 8 s at 8 kHz, 131 kB for each channel, grown by doubling: most calls of a load test are short. */
const INITIAL_SAMPLES = 1 << 16;

/**
 * A stereo recording on one sample clock: both channels are written at sample positions counted
 * from `startedAt`. What was never written is silence.
 */
export class Recording {
  readonly startedAt: Instant;
  readonly sampleRateHz: number;
  #left = new Int16Array(INITIAL_SAMPLES);
  #right = new Int16Array(INITIAL_SAMPLES);
  #length = 0;

  constructor(startedAt: Instant, sampleRateHz: number) {
    this.startedAt = startedAt;
    this.sampleRateHz = sampleRateHz;
  }

  /** Samples per channel so far. */
  get length(): number {
    return this.#length;
  }

  writeLeft(position: number, samples: Int16Array): void {
    this.#reserve(position + samples.length);
    this.#left.set(samples, position);
  }

  writeRight(position: number, samples: Int16Array): void {
    this.#reserve(position + samples.length);
    this.#right.set(samples, position);
  }

  /** Copies of both channels as they are now. */
  snapshot(): { readonly left: Int16Array; readonly right: Int16Array } {
    return {
      left: this.#left.slice(0, this.#length),
      right: this.#right.slice(0, this.#length),
    };
  }

  #reserve(length: number): void {
    if (length > this.#left.length) {
      this.#left = grown(this.#left, length);
      this.#right = grown(this.#right, length);
    }
    this.#length = Math.max(this.#length, length);
  }
}

function grown(samples: Int16Array, length: number): Int16Array<ArrayBuffer> {
  const larger = new Int16Array(Math.max(length, samples.length * 2));
  larger.set(samples);
  return larger;
}
