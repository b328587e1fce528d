import type { PlayoutAccount } from "./playout-account.ts";
import { type StallConcealment, stretchBelowMs } from "./playout-settings.ts";
import { SpeechStretcher } from "./speech-stretcher.ts";
import { StallFiller } from "./stall-filler.ts";

/** How a frame sounds where speech is short: slower, repeated, or silent. */
export class PlayoutSound {
  readonly #filler: StallFiller | undefined;
  readonly #stretcher: SpeechStretcher | undefined;
  readonly #stretchBelowSamples: number;

  constructor(sampleRateHz: number, concealment: StallConcealment = { kind: "silence" }) {
    const { kind } = concealment;
    this.#filler = kind === "silence" ? undefined : new StallFiller(sampleRateHz);
    this.#stretcher = kind === "stretch" ? new SpeechStretcher(sampleRateHz) : undefined;
    this.#stretchBelowSamples =
      kind === "stretch" ? (stretchBelowMs(concealment) * sampleRateHz) / 1000 : 0;
  }

  /** Whether stalls are filled. */
  get fills(): boolean {
    return this.#filler !== undefined;
  }

  /** Whether speech may be slower than it came. */
  get slows(): boolean {
    return this.#stretcher !== undefined;
  }

  /** Samples of slower speech that have not left. */
  get pendingSamples(): number {
    return this.#stretcher?.pendingSamples ?? 0;
  }

  /**
   * Writes a response's speech to a frame.
   * @param take moves speech as it came, and says how much of it there was.
   * @returns how many samples of the frame are speech.
   */
  speak(account: PlayoutAccount, output: Int16Array, take: (piece: Int16Array) => number): number {
    if (this.#stretcher === undefined) return take(output);
    const isLow = account.bufferedSamples < this.#stretchBelowSamples && !account.audioDone;
    const { written, grown } = this.#stretcher.fill(output, isLow, take);
    account.stretchedSamples += grown;
    return written;
  }

  /** Takes each frame that leaves, and fills what is missing of it; whether that can be heard. */
  fill(account: PlayoutAccount | undefined, output: Int16Array, speechSamples: number): boolean {
    if (this.#filler === undefined) return false;
    const isStalled = account !== undefined && account.isDry && !account.over;
    const before = this.#filler.audibleMs;
    this.#filler.handleFrame(output, speechSamples, isStalled);
    if (!isStalled) return false;
    account.concealedMs = this.#filler.audibleMs;
    return account.concealedMs > before;
  }

  /** Forgets speech that has not left. */
  dropPending(): void {
    this.#stretcher?.reset();
  }
}
