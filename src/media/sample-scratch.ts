/** Views of one length each; beyond so many lengths they are made when needed. */
const CACHED_LENGTHS_MAX = 256;

/**
 * Memory for samples that live no longer than one synchronous call, so that all calls of a thread
 * share it. Views are kept: frames have few lengths, and none then allocates.
 */
export class SampleScratch {
  #samples: Int16Array = new Int16Array(0);
  readonly #views = new Map<number, Int16Array>();

  /** The first `length` samples, whatever was in them. */
  view(length: number): Int16Array {
    if (length > this.#samples.length) {
      this.#samples = new Int16Array(length);
      this.#views.clear();
    }
    const known = this.#views.get(length);
    if (known !== undefined) return known;
    const view = this.#samples.subarray(0, length);
    if (this.#views.size < CACHED_LENGTHS_MAX) this.#views.set(length, view);
    return view;
  }
}
