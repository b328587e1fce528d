/** What a ring begins with: 4 s at 8 kHz. */
const INITIAL_SAMPLES = 32_768;

/**
 * A first-in, first-out store of samples with a fixed limit.
 *
 * It grows by doubling up to that limit, so that a call whose bot speaks briefly stays small;
 * after that it allocates nothing.
 */
export class SampleRing {
  readonly #capacitySamples: number;
  #samples: Int16Array;
  #readIndex = 0;
  #length = 0;

  constructor(capacitySamples: number) {
    this.#capacitySamples = capacitySamples;
    this.#samples = new Int16Array(Math.min(INITIAL_SAMPLES, capacitySamples));
  }

  /** Samples held. */
  get length(): number {
    return this.#length;
  }

  /** Takes as many of `samples` as there is room for, and says how many. */
  write(samples: Int16Array): number {
    const count = Math.min(samples.length, this.#capacitySamples - this.#length);
    if (this.#length + count > this.#samples.length) this.#grow(this.#length + count);
    const size = this.#samples.length;
    const start = (this.#readIndex + this.#length) % size;
    const untilWrap = Math.min(count, size - start);
    this.#samples.set(samples.subarray(0, untilWrap), start);
    if (count > untilWrap) this.#samples.set(samples.subarray(untilWrap, count), 0);
    this.#length += count;
    return count;
  }

  /** Moves `count` samples, which must be there, to `output` from `offset` on. */
  read(output: Int16Array, offset: number, count: number): void {
    const size = this.#samples.length;
    let index = this.#readIndex;
    for (let position = offset; position < offset + count; position += 1) {
      output[position] = this.#samples[index] as number;
      index += 1;
      if (index === size) index = 0;
    }
    this.drop(count);
  }

  /** Forgets the oldest `count` samples, which must be there. */
  drop(count: number): void {
    this.#readIndex = (this.#readIndex + count) % this.#samples.length;
    this.#length -= count;
  }

  #grow(needed: number): void {
    let size = this.#samples.length;
    while (size < needed) size *= 2;
    const grown = new Int16Array(Math.min(size, this.#capacitySamples));
    const held = this.#length;
    this.read(grown, 0, held);
    this.#samples = grown;
    this.#readIndex = 0;
    this.#length = held;
  }
}
