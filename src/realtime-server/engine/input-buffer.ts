/** Room for this much audio at first; enough for a prefix and a sentence. */
const INITIAL_MS = 4000;
/** Most audio kept: what comes later pushes out the oldest. */
const KEPT_MS_MAX = 120_000;

/** The caller's audio that may still be needed, addressed by samples since the connection began. */
export class InputBuffer {
  readonly #samplesMax: number;
  #store: Int16Array;
  /** Where in `#store` the oldest kept sample lies, and how many are kept. */
  #offset = 0;
  #length = 0;
  #startSample = 0;

  constructor(sampleRateHz: number) {
    this.#store = new Int16Array((INITIAL_MS * sampleRateHz) / 1000);
    this.#samplesMax = (KEPT_MS_MAX * sampleRateHz) / 1000;
  }

  /** The oldest sample kept. */
  get startSample(): number {
    return this.#startSample;
  }

  /** The sample after the newest: how much was appended in all. */
  get endSample(): number {
    return this.#startSample + this.#length;
  }

  /** Adds audio at the end. */
  append(samples: Int16Array): void {
    this.#makeRoom(samples.length);
    this.#store.set(samples, this.#offset + this.#length);
    this.#length += samples.length;
    if (this.#length > this.#samplesMax) this.discardBefore(this.endSample - this.#samplesMax);
  }

  /** A copy of the samples in [from, to), as far as they are still kept. */
  slice(from: number, to: number): Int16Array {
    const first = Math.max(from, this.#startSample) - this.#startSample;
    const last = Math.min(to, this.endSample) - this.#startSample;
    return this.#store.slice(this.#offset + first, this.#offset + Math.max(first, last));
  }

  /** Lets go of everything before `sample`. */
  discardBefore(sample: number): void {
    const dropped = Math.min(Math.max(0, sample - this.#startSample), this.#length);
    this.#offset += dropped;
    this.#length -= dropped;
    this.#startSample += dropped;
  }

  #makeRoom(samples: number): void {
    const needed = this.#length + samples;
    if (this.#offset + needed <= this.#store.length) return;
    let capacity = this.#store.length;
    while (capacity < needed) capacity *= 2;
    const target = capacity === this.#store.length ? this.#store : new Int16Array(capacity);
    if (target === this.#store) {
      target.copyWithin(0, this.#offset, this.#offset + this.#length);
    } else {
      target.set(this.#store.subarray(this.#offset, this.#offset + this.#length));
    }
    this.#store = target;
    this.#offset = 0;
  }
}
