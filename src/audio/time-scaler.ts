import { meanSquareOf } from "./level.ts";
import { ENDS_SAMPLES, PeriodSearch, Splice } from "./time-scaler-search.ts";
import { stretch } from "./time-scaler-stretch.ts";

/** How alike two periods must be for one to stand for the other. */
const LIKENESS_MIN = 0.85;
/** The cross-fade of quiet audio, whose ends need not be alike. */
const QUIET_FADE_MS = 5;
/** Audio is quiet where no block of this length is louder than `quietDbov`. */
const BLOCK_MS = 5;
/** Resampling wins or loses one sample in so many: 0.8 %. */
const STRETCH_DIVISOR = 128;
/** The longest frame that is resampled. */
const STRETCH_MAX_MS = 120;

/** What a time scaler must know. */
export interface TimeScalerOptions {
  readonly sampleRateHz: number;
  /** Audio up to this level is cut and repeated anywhere; default −45. */
  readonly quietDbov?: number;
}

/**
 * Makes audio a little shorter or longer without a click: to follow the drift of clocks and
 * changes of the playout delay.
 *
 * Up to 0.8 % of the frame it resamples, which nobody hears for so short a time: clock drift, a
 * sample now and then, is followed so. For more it takes what it finds. Quiet audio is cut or
 * repeated by just as much as is wanted. Where speech repeats itself, one pitch period not longer
 * than wanted is left out or repeated, cross-faded with its neighbour. Else it resamples, and the
 * rest must wait.
 *
 * The first and the last sample stay as they are, so that frames join up as before. It keeps
 * nothing from call to call and allocates nothing after construction.
 */
export class TimeScaler {
  readonly #quietMeanSquare: number;
  readonly #blockSamples: number;
  readonly #quietFade: number;
  readonly #search: PeriodSearch;
  readonly #splice: Splice = new Splice();
  /** The original of what is shortened in place. */
  readonly #original: Int16Array;

  constructor(options: TimeScalerOptions) {
    const samplesPerMs = options.sampleRateHz / 1000;
    this.#quietMeanSquare = meanSquareOf(options.quietDbov ?? -45);
    this.#blockSamples = Math.round(BLOCK_MS * samplesPerMs);
    this.#quietFade = Math.round(QUIET_FADE_MS * samplesPerMs);
    this.#search = new PeriodSearch(options.sampleRateHz);
    this.#original = new Int16Array(Math.round(STRETCH_MAX_MS * samplesPerMs));
  }

  /**
   * Takes at most `wantedSamples` out of `samples`, in place.
   * @returns the new length: `samples.length` where nothing could be taken out.
   */
  shorten(samples: Int16Array, wantedSamples: number): number {
    const { length } = samples;
    const change = this.#stretchable(length, wantedSamples);
    if (change < wantedSamples && this.#findSplice(samples, wantedSamples)) {
      const { start, period, fade } = this.#splice;
      this.#crossFade(samples, samples, start, start + period);
      samples.copyWithin(start + fade, start + period + fade);
      return length - period;
    }
    if (change === 0) return length;
    this.#original.set(samples);
    stretch(this.#original, length, samples, length - change);
    return length - change;
  }

  /**
   * Copies `samples` to `output`, which must be another array, with at most `wantedSamples` more,
   * and as many as it has room for.
   * @returns the new length: `samples.length` where nothing could be put in.
   */
  lengthen(samples: Int16Array, output: Int16Array, wantedSamples: number): number {
    const { length } = samples;
    const wanted = Math.min(wantedSamples, output.length - length);
    const change = this.#stretchable(length, wanted);
    if (change < wanted && this.#findSplice(samples, wanted)) {
      const { start, period, fade } = this.#splice;
      output.set(samples);
      output.copyWithin(start + period + fade, start + fade, length);
      this.#crossFade(samples, output, start + period, start);
      return length + period;
    }
    if (change === 0) output.set(samples);
    else stretch(samples, length, output, length + change);
    return length + change;
  }

  /** Looks for where to cut or to repeat; whether there is such a place. */
  #findSplice(samples: Int16Array, wanted: number): boolean {
    const splice = this.#splice;
    const longest = Math.min(wanted, samples.length - this.#quietFade - ENDS_SAMPLES);
    if (longest <= 0) return false;
    if (this.#isQuiet(samples)) {
      splice.place(samples.length, longest, this.#quietFade);
      splice.likeness = 0;
      return true;
    }
    this.#search.find(samples, wanted, splice);
    return splice.likeness >= LIKENESS_MIN;
  }

  #isQuiet(samples: Int16Array): boolean {
    let sum = 0;
    let count = 0;
    for (let index = 0; index < samples.length; index += 1) {
      const sample = samples[index] as number;
      sum += sample * sample;
      count += 1;
      if (count < this.#blockSamples) continue;
      if (sum > this.#quietMeanSquare * count) return false;
      sum = 0;
      count = 0;
    }
    return sum <= this.#quietMeanSquare * this.#blockSamples;
  }

  /**
   * Fades, over the splice, from what `output` would have had there (`samples` from `at` on) to
   * `samples` from `towards` on. Alike sounds add up in amplitude, quiet noises in power.
   */
  #crossFade(samples: Int16Array, output: Int16Array, from: number, towards: number): void {
    const { fade, likeness } = this.#splice;
    for (let index = 0; index < fade; index += 1) {
      const share = (index + 1) / (fade + 1);
      const weight = likeness > 0 ? share : Math.sqrt(share);
      const former = likeness > 0 ? 1 - share : Math.sqrt(1 - share);
      const value =
        (samples[from + index] as number) * former + (samples[towards + index] as number) * weight;
      output[from + index] = Math.max(-32_768, Math.min(32_767, Math.round(value)));
    }
  }

  #stretchable(length: number, wanted: number): number {
    if (length > this.#original.length) return 0;
    return Math.max(0, Math.min(wanted, Math.floor(length / STRETCH_DIVISOR)));
  }
}
