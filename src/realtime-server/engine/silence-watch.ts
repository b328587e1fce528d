import { after, type Instant } from "../../environment/index.ts";

/** When both sides have been silent for long enough that the bot speaks of its own accord. */
export class SilenceWatch {
  #quietFrom: Instant | undefined;
  #playedAt: Instant | undefined;
  /** The silence was broken, and nobody has spoken since. */
  #isBroken = false;

  /** The caller speaks. */
  noteSpeech(): void {
    this.#isBroken = false;
    this.#quietFrom = undefined;
  }

  /** A response is being made. */
  noteResponse(): void {
    this.#quietFrom = undefined;
  }

  /** What the bot said has been played at this instant. */
  notePlayed(at: Instant): void {
    this.#isBroken = false;
    this.#playedAt = at;
  }

  /** Nothing more is to come from either side; what was said may still be playing. */
  noteSilence(now: Instant): void {
    if (this.#isBroken) return;
    this.#quietFrom = this.#playedAt !== undefined && this.#playedAt > now ? this.#playedAt : now;
  }

  /** The bot was asked to break the silence: not again before somebody has spoken. */
  noteBroken(): void {
    this.#isBroken = true;
    this.#quietFrom = undefined;
  }

  /** When that is; never where `silenceMs` is not given, or somebody speaks. */
  dueAt(silenceMs: number | undefined): Instant | undefined {
    if (silenceMs === undefined || this.#quietFrom === undefined) return undefined;
    return after(this.#quietFrom, silenceMs);
  }
}
