import { PeriodRepeater } from "./concealer-repeater.ts";

/** How long a concealment keeps its full level. */
const FLAT_MS = 10;
/** From the end of the flat part to silence: 20 % of the level per 10 ms. */
const FADE_MS = 50;
/** Where the repetition takes in one more pitch period (Appendix I: after each of two frames). */
const WIDEN_MS = [10, 20] as const;
/** The cross-fade back to good audio grows by this for each 10 ms lost, up to 10 ms. */
const SEAM_GROWTH_MS_PER_10_MS = 4;
const SEAM_MAX_MS = 10;

/** What a concealer must know. */
export interface ConcealerOptions {
  readonly sampleRateHz: number;
}

/**
 * Packet-loss concealment for codecs without one of their own, of the class of ITU-T G.711
 * Appendix I: repeats the last pitch period, later the last two and three, fades after 10 ms and
 * is silent after 60 ms.
 *
 * It departs from Appendix I where that delays all audio by 3.75 ms in order to bend the last good
 * samples towards the repetition. Here good audio is not delayed: the repetition begins with what
 * the last good samples ring on to (linear prediction), and that gives way to the repetition.
 *
 * Everything that is played must pass through it in order: good audio and also the silence or
 * comfort noise between talkspurts by `accept`, holes by `conceal`; else it repeats what was long
 * over. Allocates nothing after construction.
 */
export class Concealer {
  readonly #sampleRateHz: number;
  readonly #repeater: PeriodRepeater;
  readonly #flatSamples: number;
  readonly #fadeSamples: number;
  /** Concealed samples since the last good one. */
  #run = 0;
  /** Place in the concealment's level: goes on through the seam. */
  #age = 0;
  /** What the concealment would have gone on to: the first `#seamLength` samples. */
  readonly #seam: Int16Array;
  #seamAt = 0;
  #seamLength = 0;

  constructor(options: ConcealerOptions) {
    this.#sampleRateHz = options.sampleRateHz;
    this.#repeater = new PeriodRepeater(options.sampleRateHz);
    this.#flatSamples = this.#samples(FLAT_MS);
    this.#fadeSamples = this.#samples(FADE_MS);
    this.#seam = new Int16Array(this.#samples(SEAM_MAX_MS));
  }

  /** How much was concealed since the last good audio, in ms. */
  get concealedRunMs(): number {
    return (this.#run * 1000) / this.#sampleRateHz;
  }

  /**
   * Takes good audio, in order. After a concealment it cross-fades, in place, from what the
   * concealment would have gone on to: over 2.5 to 10 ms, several frames if they are short.
   */
  accept(frame: Int16Array): void {
    if (this.#run > 0) this.#beginSeam();
    const left = Math.min(frame.length, this.#seamLength - this.#seamAt);
    for (let index = 0; index < left; index += 1) {
      const good = frame[index] as number;
      const concealed = this.#seam[this.#seamAt] as number;
      this.#seamAt += 1;
      const share = this.#seamAt / (this.#seamLength + 1);
      frame[index] = Math.round(concealed + (good - concealed) * share);
    }
    this.#repeater.remember(frame);
  }

  /** Fills `output`, of any length, with what stands in for audio that was lost. */
  conceal(output: Int16Array): void {
    if (this.#run === 0) this.#begin();
    this.#render(output, output.length);
    this.#run += output.length;
    this.#repeater.remember(output);
  }

  /** Forgets all audio, as new: the sender changed. */
  reset(): void {
    this.#repeater.reset();
    this.#run = 0;
    this.#age = 0;
    this.#seamAt = 0;
    this.#seamLength = 0;
  }

  #begin(): void {
    this.#repeater.begin();
    this.#age = 0;
    this.#seamAt = 0;
    this.#seamLength = 0;
  }

  #beginSeam(): void {
    const lostTens = Math.ceil(this.#run / this.#samples(10));
    const growth = this.#samples(SEAM_GROWTH_MS_PER_10_MS) * Math.max(0, lostTens - 1);
    this.#seamLength = Math.min(this.#repeater.overlap + growth, this.#seam.length);
    this.#seamAt = 0;
    this.#run = 0;
    this.#render(this.#seam, this.#seamLength);
  }

  /** Writes the next samples of the concealment, at their level. */
  #render(output: Int16Array, count: number): void {
    for (let index = 0; index < count; index += 1) {
      const faded = this.#age - this.#flatSamples;
      if (this.#isWidening(this.#age)) this.#repeater.widen();
      this.#age += 1;
      const sample = faded < this.#fadeSamples ? this.#repeater.next() : 0;
      const level = faded <= 0 ? 1 : 1 - faded / this.#fadeSamples;
      output[index] = Math.max(-32_768, Math.min(32_767, Math.round(sample * level)));
    }
  }

  #isWidening(age: number): boolean {
    return age === this.#samples(WIDEN_MS[0]) || age === this.#samples(WIDEN_MS[1]);
  }

  #samples(durationMs: number): number {
    return Math.round((durationMs * this.#sampleRateHz) / 1000);
  }
}
