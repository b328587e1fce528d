import { after, type Instant } from "../../environment/index.ts";
import { Reconnection } from "../provider/reconnection.ts";

/** An announced end is not waited for to the last moment. */
const HASTE_MS = 2000;

/**
 * Whether, and when, a session goes on over another connection: Gemini's connections end after ten
 * minutes, its sessions need not.
 */
export class Resumption {
  readonly #reconnection: Reconnection;
  #handle: string | undefined;
  #leaveBy: Instant | undefined;

  constructor(attemptsMax: number) {
    this.#reconnection = new Reconnection(attemptsMax);
  }

  /** Connections opened again since the session began. */
  get reconnections(): number {
    return this.#reconnection.total;
  }

  /** The same since it was last up. */
  get attempts(): number {
    return this.#reconnection.attempts;
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
    this.#reconnection.handleReady();
    this.#leaveBy = undefined;
  }

  /** When to open the next connection; `undefined` where the session is lost. */
  nextAttempt(now: Instant): Instant | undefined {
    if (this.#handle === undefined) return undefined;
    const attemptAt = this.#reconnection.nextAttempt(now);
    if (attemptAt !== undefined) this.#leaveBy = undefined;
    return attemptAt;
  }
}
