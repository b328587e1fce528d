import { Concealer } from "../codec/index.ts";

/** After so much, a concealment has faded to silence (see `Concealer`). */
const AUDIBLE_MS = 60;

/** Stands in, frame by frame, for speech that has not come: repeats what was last heard, and fades. */
export class StallFiller {
  readonly #concealer: Concealer;

  constructor(sampleRateHz: number) {
    this.#concealer = new Concealer({ sampleRateHz });
  }

  /** How much of the present stall was filled with more than silence. */
  get audibleMs(): number {
    return Math.min(AUDIBLE_MS, this.#concealer.concealedRunMs);
  }

  /**
   * Takes each frame that leaves, in order; what stands behind its first `speechSamples` is filled
   * where speech has stalled.
   */
  handleFrame(frame: Int16Array, speechSamples: number, isStalled: boolean): void {
    if (!isStalled) {
      this.#concealer.accept(frame);
      return;
    }
    if (speechSamples > 0) this.#concealer.accept(frame.subarray(0, speechSamples));
    this.#concealer.conceal(frame.subarray(speechSamples));
  }
}
