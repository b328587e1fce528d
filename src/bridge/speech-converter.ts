import { Resampler } from "../audio/index.ts";

/** Silence pushed through the filter at once when a piece of speech ends. */
const FLUSH_SAMPLES = 240;

/**
 * Converts finite pieces of speech between two rates, aligned: sample k of the output stands at
 * the same time as sample k · from / to of the input, and n samples give ⌊n · to / from⌋. So "ms
 * played of an item" means the same on both sides of it.
 */
export class SpeechConverter {
  readonly #fromHz: number;
  readonly #toHz: number;
  readonly #resampler: Resampler;
  readonly #delaySamples: number;
  readonly #silence = new Int16Array(FLUSH_SAMPLES);
  #output = new Int16Array(0);
  #inputSamples = 0;
  #outputSamples = 0;
  #toSkip = 0;

  constructor(options: { readonly fromHz: number; readonly toHz: number }) {
    this.#fromHz = options.fromHz;
    this.#toHz = options.toHz;
    this.#resampler = new Resampler(options);
    this.#delaySamples = Math.round((this.#resampler.delayMs * options.toHz) / 1000);
    this.#toSkip = this.#delaySamples;
  }

  /** The samples that are ready; valid until the next call. */
  push(samples: Int16Array): Int16Array {
    this.#inputSamples += samples.length;
    return this.#convert(samples);
  }

  /** The rest of this piece, which the filter still holds; then a new piece may begin. */
  finish(handleSamples: (samples: Int16Array) => void): void {
    while (this.#outputSamples < this.#total) handleSamples(this.#convert(this.#silence));
    this.#resampler.reset();
    this.#inputSamples = 0;
    this.#outputSamples = 0;
    this.#toSkip = this.#delaySamples;
  }

  get #total(): number {
    return Math.floor((this.#inputSamples * this.#toHz) / this.#fromHz);
  }

  #convert(samples: Int16Array): Int16Array {
    const room = this.#resampler.outputLength(samples.length);
    if (room > this.#output.length) this.#output = new Int16Array(room * 2);
    const written = this.#resampler.process(samples, this.#output);
    const skipped = Math.min(written, this.#toSkip);
    this.#toSkip -= skipped;
    const count = Math.min(written - skipped, this.#total - this.#outputSamples);
    this.#outputSamples += count;
    return this.#output.subarray(skipped, skipped + count);
  }
}
