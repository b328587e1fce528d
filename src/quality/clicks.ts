import { PLACES_MAX, type SampleSpan } from "./sample-span.ts";

/** Cracks in the sound. */
export interface Clicks {
  readonly count: number;
  /** The first of them, at most `PLACES_MAX`. */
  readonly places: readonly SampleSpan[];
}

/** A click is told from its surroundings by blocks of 1 ms. */
const BLOCK_MS = 1;
/** Blocks looked at before and behind: at least one period of any voice lies in each. */
const BEFORE_BLOCKS = 20;
const BEHIND_BLOCKS = 20;
/** By how much it stands out: the sharpest sounds of speech repeat, or last longer. */
const RATIO = 4;
/** −48 dBov for a jump: what is softer is no click that anyone hears. */
const JUMP_MIN = 128;

/**
 * Single jumps of the waveform, as where a concealed or cut-out packet does not fit to what is beside
 * it: the bend (second difference) is four times as sharp as anywhere within 20 ms before and behind.
 * The closures of a voice come again in that time and the bursts of consonants last longer; both are
 * no clicks.
 */
export class ClickDetector {
  readonly #blockSamples: number;
  /** Sharpest bend of the last blocks: before, the block in question, behind. */
  readonly #sharpest = new Float64Array(BEFORE_BLOCKS + 3 + BEHIND_BLOCKS);
  readonly #places: SampleSpan[] = [];
  #block = 0;
  #filled = 0;
  #sharpestNow = 0;
  #last = 0;
  #beforeLast = 0;
  #count = 0;
  #lastClickBlock = -Infinity;

  constructor(sampleRateHz: number) {
    this.#blockSamples = Math.round((sampleRateHz * BLOCK_MS) / 1000);
  }

  process(samples: Int16Array): void {
    let [last, beforeLast, sharpest, filled] = [
      this.#last,
      this.#beforeLast,
      this.#sharpestNow,
      this.#filled,
    ];
    for (let index = 0; index < samples.length; index += 1) {
      const sample = samples[index] as number;
      const bend = Math.abs(sample - 2 * last + beforeLast);
      beforeLast = last;
      last = sample;
      if (bend > sharpest) sharpest = bend;
      filled += 1;
      if (filled < this.#blockSamples) continue;
      this.#closeBlock(sharpest);
      sharpest = 0;
      filled = 0;
    }
    this.#last = last;
    this.#beforeLast = beforeLast;
    this.#sharpestNow = sharpest;
    this.#filled = filled;
  }

  result(): Clicks {
    return { count: this.#count, places: this.#places };
  }

  #closeBlock(sharpest: number): void {
    const length = this.#sharpest.length;
    this.#sharpest[this.#block % length] = sharpest;
    this.#block += 1;
    if (this.#block >= length) this.#judge(this.#block - BEHIND_BLOCKS - 2);
  }

  /** The bends of one jump may lie in two blocks beside each other: neighbours are left out. */
  #judge(block: number): void {
    const length = this.#sharpest.length;
    const bend = this.#sharpest[block % length] as number;
    if (bend < JUMP_MIN || block - this.#lastClickBlock < BEFORE_BLOCKS) return;
    let beside = 0;
    for (let offset = -BEFORE_BLOCKS - 1; offset <= BEHIND_BLOCKS + 1; offset += 1) {
      if (offset >= -1 && offset <= 1) continue;
      beside = Math.max(beside, this.#sharpest[(block + offset) % length] as number);
    }
    if (bend < RATIO * beside) return;
    this.#lastClickBlock = block;
    this.#count += 1;
    if (this.#places.length >= PLACES_MAX) return;
    const startSample = block * this.#blockSamples;
    this.#places.push({ startSample, endSample: startSample + this.#blockSamples });
  }
}
