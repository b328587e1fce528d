import { limit } from "./g722-bands.ts";
import { saturate } from "./g722-predictor.ts";

/** Samples that the filters remember of the past. */
const PAST = 22;
/** Codes that are worked on at a time. */
export const BLOCK_CODES = 160;

/**
 * One block with its past before it. All filters share it, for it holds nothing between two calls:
 * a thousand calls keep 22 samples each.
 */
const WINDOW: Int32Array = new Int32Array(PAST + 2 * BLOCK_CODES);

/** The two sub-bands of one block. */
export interface Subbands {
  readonly lower: Int32Array;
  readonly higher: Int32Array;
}

/** Splits audio of 16 kHz into two sub-bands of 8 kHz (transmit QMF, §5.2.1). */
export class AnalysisFilter {
  readonly #past: Int16Array = new Int16Array(PAST);

  /** Splits `2 * codes` samples from `from` on. */
  split(samples: Int16Array, from: number, codes: number, bands: Subbands): void {
    WINDOW.set(this.#past);
    for (let index = 0; index < 2 * codes; index += 1) {
      WINDOW[PAST + index] = samples[from + index] as number;
    }
    for (let index = 0; index < codes; index += 1) {
      const even = evenTaps(2 * index);
      const odd = oddTaps(2 * index);
      bands.lower[index] = limit((odd + even) >> 15);
      bands.higher[index] = limit((odd - even) >> 15);
    }
    keepPast(this.#past, codes);
  }
}

/** Joins two sub-bands of 8 kHz to audio of 16 kHz (receive QMF, §5.2.2). */
export class SynthesisFilter {
  readonly #past: Int16Array = new Int16Array(PAST);

  /** Writes `2 * codes` samples from `from` on. */
  join(bands: Subbands, codes: number, output: Int16Array, from: number): void {
    WINDOW.set(this.#past);
    for (let index = 0; index < codes; index += 1) {
      const lower = bands.lower[index] as number;
      const higher = bands.higher[index] as number;
      WINDOW[PAST + 2 * index] = lower + higher;
      WINDOW[PAST + 2 * index + 1] = lower - higher;
    }
    for (let index = 0; index < codes; index += 1) {
      output[from + 2 * index] = saturate(oddTaps(2 * index) >> 12);
      output[from + 2 * index + 1] = saturate(evenTaps(2 * index) >> 12);
    }
    keepPast(this.#past, codes);
  }
}

function keepPast(past: Int16Array, codes: number): void {
  for (let index = 0; index < PAST; index += 1) {
    past[index] = WINDOW[2 * codes + index] as number;
  }
}

/** Every second of the 24 taps, from the first; their sums fit into 32 bits. */
function evenTaps(at: number): number {
  return (
    Math.imul(WINDOW[at] as number, 6) +
    Math.imul(WINDOW[at + 2] as number, -22) +
    Math.imul(WINDOW[at + 4] as number, 24) +
    Math.imul(WINDOW[at + 6] as number, 64) +
    Math.imul(WINDOW[at + 8] as number, -420) +
    Math.imul(WINDOW[at + 10] as number, 1902) +
    Math.imul(WINDOW[at + 12] as number, 7752) +
    Math.imul(WINDOW[at + 14] as number, -1610) +
    Math.imul(WINDOW[at + 16] as number, 724) +
    Math.imul(WINDOW[at + 18] as number, -312) +
    Math.imul(WINDOW[at + 20] as number, 106) +
    Math.imul(WINDOW[at + 22] as number, -22)
  );
}

/** The others: the same taps backwards, for the filter is symmetric. */
function oddTaps(at: number): number {
  return (
    Math.imul(WINDOW[at + 1] as number, -22) +
    Math.imul(WINDOW[at + 3] as number, 106) +
    Math.imul(WINDOW[at + 5] as number, -312) +
    Math.imul(WINDOW[at + 7] as number, 724) +
    Math.imul(WINDOW[at + 9] as number, -1610) +
    Math.imul(WINDOW[at + 11] as number, 7752) +
    Math.imul(WINDOW[at + 13] as number, 1902) +
    Math.imul(WINDOW[at + 15] as number, -420) +
    Math.imul(WINDOW[at + 17] as number, 64) +
    Math.imul(WINDOW[at + 19] as number, 24) +
    Math.imul(WINDOW[at + 21] as number, -22) +
    Math.imul(WINDOW[at + 23] as number, 6)
  );
}
