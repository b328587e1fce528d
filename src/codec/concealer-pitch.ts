/** Pitch periods that are looked for: 66 to 200 Hz; a higher voice is found at a multiple. */
const SHORTEST_MS = 5;
const LONGEST_MS = 15;
/** What is compared with what was a period before. */
const WINDOW_MS = 20;
/** Rate of the coarse search. */
const COARSE_HZ = 4000;

/**
 * Finds the pitch period of the end of a sound: the lag of the largest normalised
 * autocorrelation, first coarsely, then to the sample (G.711 Appendix I, I.2.2).
 */
export class PitchEstimator {
  /** The longest period that may be found, in samples. */
  readonly longest: number;
  readonly #shortest: number;
  readonly #window: number;
  readonly #step: number;

  constructor(sampleRateHz: number) {
    this.longest = Math.round((LONGEST_MS * sampleRateHz) / 1000);
    this.#shortest = Math.round((SHORTEST_MS * sampleRateHz) / 1000);
    this.#window = Math.round((WINDOW_MS * sampleRateHz) / 1000);
    this.#step = Math.max(1, Math.round(sampleRateHz / COARSE_HZ));
  }

  /** The period at the end of `sound`, which must be longer than `longest` and 20 ms; in samples. */
  estimate(sound: Float64Array): number {
    const coarse = this.#search(sound, this.#shortest, this.longest, this.#step);
    const from = Math.max(this.#shortest, coarse - this.#step + 1);
    const to = Math.min(this.longest, coarse + this.#step - 1);
    return this.#search(sound, from, to, 1);
  }

  /**
   * The best lag from `from` to `to`, by the correlation of the end with what was `lag` before,
   * normalised by the energy of the latter; `to` where no lag fits at all. One loop in another:
   * a method for the inner one would return its number on the heap.
   */
  #search(sound: Float64Array, from: number, to: number, step: number): number {
    const end = sound.length;
    let best = to;
    let bestScore = 0;
    for (let lag = from; lag <= to; lag += step) {
      let product = 0;
      let energy = 1;
      for (let index = end - this.#window; index < end; index += step) {
        const past = sound[index - lag] as number;
        product += (sound[index] as number) * past;
        energy += past * past;
      }
      const score = product / Math.sqrt(energy);
      if (score > bestScore) {
        bestScore = score;
        best = lag;
      }
    }
    return best;
  }
}
