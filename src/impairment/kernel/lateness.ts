/** A quarter of an octave per bin, from a microsecond to 16 s: quantiles are at most 19 % too high. */
const BINS_PER_OCTAVE = 4;
const LEAST_MS = 0.001;
const BINS = 24 * BINS_PER_OCTAVE;

/** Counts lateness in bins that grow with it: bounded memory, however long it runs. */
export class LatenessHistogram {
  readonly #bins = new Uint32Array(BINS + 1);
  #count = 0;
  #maxMs = 0;

  /** Quantiles are the upper edges of their bins, and never above the maximum. */
  get summary(): { packets: number; p50Ms: number; p99Ms: number; maxMs: number } {
    return {
      packets: this.#count,
      p50Ms: this.#quantile(0.5),
      p99Ms: this.#quantile(0.99),
      maxMs: this.#maxMs,
    };
  }

  add(lateMs: number): void {
    this.#count += 1;
    this.#maxMs = Math.max(this.#maxMs, lateMs);
    const bin = Math.ceil(Math.log2(Math.max(lateMs, LEAST_MS) / LEAST_MS) * BINS_PER_OCTAVE);
    const index = Math.min(bin, BINS);
    this.#bins[index] = (this.#bins[index] ?? 0) + 1;
  }

  #quantile(share: number): number {
    let passed = 0;
    for (const [index, count] of this.#bins.entries()) {
      passed += count;
      if (count > 0 && passed >= share * this.#count) {
        return Math.min(LEAST_MS * 2 ** (index / BINS_PER_OCTAVE), this.#maxMs);
      }
    }
    return 0;
  }
}
