import { after, elapsedMs, type Instant } from "../environment/index.ts";
import { type FragmentStatus, writeSipfrag } from "./sipfrag.ts";

/** A NOTIFY to be sent. */
export interface Notification {
  /** The value of Subscription-State (RFC 6665 §8.2.3). */
  readonly subscriptionState: string;
  /** The body, of type message/sipfrag. */
  readonly fragment: string;
}

/** Longer than a call may ring anywhere; whoever referred us is not kept waiting for longer. */
const EXPIRES_MS = 180_000;
/** Provisional statuses that wait for the NOTIFY before them; more are left out. */
const PENDING_MAX = 16;
const TRYING: FragmentStatus = { statusCode: 100, reasonPhrase: "Trying" };

/**
 * The other side of the implicit subscription (RFC 3515 §2.4.4): what whoever referred us is told of
 * the new call, beginning with 100, ending with its final status. One NOTIFY follows the answer to
 * the one before. An engine: it sends nothing and reads no clock.
 */
export class ReferNotifier {
  readonly #expiresAt: Instant;
  readonly #pending: FragmentStatus[] = [TRYING];
  #last: FragmentStatus = TRYING;
  #isUnanswered = false;
  #hasFinal = false;
  #hasExpired = false;
  #isOver = false;

  constructor(now: Instant) {
    this.#expiresAt = after(now, EXPIRES_MS);
  }

  /** Nothing more will be told. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get nextTimeout(): Instant | undefined {
    return this.#isOver || this.#hasExpired ? undefined : this.#expiresAt;
  }

  /** The new call got this status; only the first final one counts. */
  handleStatus(status: FragmentStatus): void {
    if (this.#isOver || this.#hasFinal) return;
    this.#hasFinal = status.statusCode >= 200;
    if (this.#hasFinal || this.#pending.length < PENDING_MAX) this.#pending.push(status);
  }

  /** RFC 6665 §4.2.2: whoever refuses a NOTIFY, or does not answer it, has no subscription. */
  handleAnswer(statusCode: number): void {
    this.#isUnanswered = false;
    if (statusCode >= 300) this.#isOver = true;
  }

  handleTimeout(now: Instant): void {
    if (this.nextTimeout !== undefined && elapsedMs(this.#expiresAt, now) >= 0) {
      this.#hasExpired = true;
    }
  }

  /** The next NOTIFY; drained after every change. */
  takeOutput(now: Instant): Notification | undefined {
    if (this.#isOver || this.#isUnanswered) return undefined;
    const status = this.#hasExpired ? this.#pending.at(-1) : this.#pending.shift();
    if (status === undefined && !this.#hasExpired) return undefined;
    this.#last = status ?? this.#last;
    this.#isUnanswered = true;
    const isFinal = this.#last.statusCode >= 200;
    this.#isOver = isFinal || this.#hasExpired;
    return { subscriptionState: this.#state(isFinal, now), fragment: writeSipfrag(this.#last) };
  }

  /** RFC 6665 §4.1.3: noresource, the thing that was watched is over; timeout, it took too long. */
  #state(isFinal: boolean, now: Instant): string {
    if (isFinal) return "terminated;reason=noresource";
    if (this.#hasExpired) return "terminated;reason=timeout";
    const seconds = Math.max(1, Math.ceil(elapsedMs(now, this.#expiresAt) / 1000));
    return `active;expires=${seconds}`;
  }
}
