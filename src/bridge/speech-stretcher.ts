import { TimeScaler } from "../audio/index.ts";

/** How much slower speech is spoken at most: the share by which it grows. */
const SLOWED_BY = 0.2;
/** A piece is lengthened by at most so much, a pitch period of a deep voice. */
const PIECE_GROWTH_MS = 12;
const PIECE_MS = 20;

/**
 * Speaks slower on demand, without a change of pitch, a pitch period at a time. What it has made and
 * not given out yet is less than two pieces of 20 ms.
 */
export class SpeechStretcher {
  readonly #scaler: TimeScaler;
  readonly #piece: Int16Array;
  readonly #growthMax: number;
  readonly #scaled: Int16Array;
  readonly #pending: Int16Array;
  #pendingSamples = 0;
  /** By how much it should have grown and has not. */
  #owedSamples = 0;

  constructor(sampleRateHz: number) {
    const samplesPerMs = sampleRateHz / 1000;
    this.#scaler = new TimeScaler({ sampleRateHz });
    this.#piece = new Int16Array(Math.round(PIECE_MS * samplesPerMs));
    this.#growthMax = Math.round(PIECE_GROWTH_MS * samplesPerMs);
    this.#scaled = new Int16Array(this.#piece.length + this.#growthMax);
    this.#pending = new Int16Array(this.#scaled.length + this.#piece.length);
  }

  /** Samples made and not given out. */
  get pendingSamples(): number {
    return this.#pendingSamples;
  }

  /**
   * Fills `output`, not longer than 20 ms at a time, as far as there is speech.
   * @param take moves speech to a piece and says how much of it there was.
   * @returns the samples written, and by how much the speech has grown.
   */
  fill(
    output: Int16Array,
    isSlow: boolean,
    take: (piece: Int16Array) => number,
  ): { readonly written: number; readonly grown: number } {
    let written = 0;
    let grown = 0;
    for (;;) {
      written += this.#give(output, written);
      if (written === output.length) break;
      const taken = take(this.#piece);
      if (taken === 0) break;
      grown += this.#add(this.#piece.subarray(0, taken), isSlow);
    }
    return { written, grown };
  }

  /** Forgets what it has made. */
  reset(): void {
    this.#pendingSamples = 0;
    this.#owedSamples = 0;
  }

  #give(output: Int16Array, from: number): number {
    const count = Math.min(this.#pendingSamples, output.length - from);
    output.set(this.#pending.subarray(0, count), from);
    this.#pending.copyWithin(0, count, this.#pendingSamples);
    this.#pendingSamples -= count;
    return count;
  }

  #add(piece: Int16Array, isSlow: boolean): number {
    this.#owedSamples = isSlow
      ? Math.min(this.#growthMax, this.#owedSamples + piece.length * SLOWED_BY)
      : 0;
    const wanted = Math.floor(this.#owedSamples);
    const length = wanted === 0 ? piece.length : this.#scaler.lengthen(piece, this.#scaled, wanted);
    const made = wanted === 0 ? piece : this.#scaled.subarray(0, length);
    this.#pending.set(made, this.#pendingSamples);
    this.#pendingSamples += length;
    this.#owedSamples -= length - piece.length;
    return length - piece.length;
  }
}
