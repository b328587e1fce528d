import { after, type Instant } from "../../environment/index.ts";

/** First pause before a lost connection is opened again; doubled each time. */
const BACKOFF_MS = 250;
const BACKOFF_MS_MAX = 4000;
/** An announced end is not waited for to the last moment. */
const HASTE_MS = 2000;

/**
 * Whether, and when, a session goes on over another connection: Gemini's connections end after ten
 * minutes, its sessions need not.
 */
export class Resumption {
  readonly #attemptsMax: number;
  #handle: string | undefined;
  #attempts = 0;
  #leaveBy: Instant | undefined;

  constructor(attemptsMax: number) {
    this.#attemptsMax = attemptsMax;
  }

  /** What the next `setup` names. */
  get handle(): string | undefined {
    return this.#handle;
  }

  /** When the connection must be left, even in the middle of a turn. */
  get leaveBy(): Instant | undefined {
    return this.#leaveBy;
  }

  /** The server gave a handle, or took it back while it cannot be resumed. */
  handleUpdate(handle: string | undefined, isResumable: boolean): void {
    if (isResumable && handle !== undefined && handle !== "") this.#handle = handle;
  }

  /** The server ends this connection soon. */
  handleGoAway(timeLeftMs: number, now: Instant): void {
    if (this.#handle === undefined) return;
    this.#leaveBy = after(now, Math.max(0, timeLeftMs - HASTE_MS));
  }

  /** The session is up (again). */
  handleReady(): void {
    this.#attempts = 0;
    this.#leaveBy = undefined;
  }

  /** When to open the next connection; `undefined` where the session is lost. */
  nextAttempt(now: Instant): Instant | undefined {
    if (this.#handle === undefined || this.#attempts >= this.#attemptsMax) return undefined;
    const pauseMs =
      this.#attempts === 0 ? 0 : Math.min(BACKOFF_MS * 2 ** (this.#attempts - 1), BACKOFF_MS_MAX);
    this.#attempts += 1;
    this.#leaveBy = undefined;
    return after(now, pauseMs);
  }
}
