import { after, elapsedMs, type Instant } from "../environment/index.ts";
import { TRANSACTION_TIMEOUT_MS } from "./retransmission.ts";
import type { FragmentStatus } from "./sipfrag.ts";
import type { TransferOutcome, TransferProgress } from "./transfer.ts";

/** A NOTIFY as far as a subscription looks at it. */
export interface ReferNotification {
  readonly isTerminated: boolean;
  /** Of Subscription-State; in seconds. */
  readonly expiresS: number | undefined;
  /** `undefined` where the body is no fragment with a status line. */
  readonly fragment: FragmentStatus | undefined;
}

/** The final answer to our REFER. */
export interface ReferAnswer {
  readonly statusCode: number;
  readonly reasonPhrase: string;
  /** False where it was made up for a peer that did not answer. */
  readonly isFromPeer: boolean;
  /** False where the peer grants no subscription (RFC 4488 §4: "Refer-Sub: false"). */
  readonly reports: boolean;
}

/** What a subscription has to tell. */
export type ReferOutput =
  | { readonly kind: "progress"; readonly progress: TransferProgress }
  | { readonly kind: "outcome"; readonly outcome: TransferOutcome };

/** Where the peer does not say how long it will report (RFC 3515 §2.4.4 wants it to). */
const DEFAULT_EXPIRES_MS = 180_000;
/** A NOTIFY may have been overtaken by the BYE of its dialog, and is then repeated. */
const LATE_NOTIFY_MS = 5000;
const OK = 200;
const SUBSCRIPTION_DOES_NOT_EXIST = 481;

/**
 * The implicit subscription of one REFER of ours (RFC 3515 §2.4.4, RFC 6665 §4.1): from the request
 * to what became of the new call. An engine: it sends nothing and reads no clock.
 */
export class ReferSubscription {
  readonly #output: ReferOutput[] = [];
  readonly #limitAt: Instant | undefined;
  #dueAt: Instant | undefined;
  #isAccepted = false;
  #isNotified = false;
  #isDecided = false;
  #isTerminated = false;
  #hasCallEnded = false;

  /** @param timeoutMs from the REFER on; default: only as the protocol says. */
  constructor(now: Instant, timeoutMs: number | undefined) {
    this.#limitAt = timeoutMs === undefined ? undefined : after(now, timeoutMs);
  }

  /** It is known what became of the transfer. */
  get isDecided(): boolean {
    return this.#isDecided;
  }

  get nextTimeout(): Instant | undefined {
    if (this.#isDecided) return undefined;
    const [due, limit] = [this.#dueAt, this.#limitAt];
    return due === undefined || (limit !== undefined && limit < due) ? limit : due;
  }

  takeOutput(): ReferOutput | undefined {
    return this.#output.shift();
  }

  handleAnswer({ statusCode, reasonPhrase, isFromPeer, reports }: ReferAnswer, now: Instant): void {
    if (this.#isDecided) return;
    if (!isFromPeer) this.#decide("timedOut", now);
    else if (statusCode >= 300) this.#decide("refused", now, { statusCode, reasonPhrase });
    else {
      this.#accept(now, statusCode);
      // RFC 6665 §4.1.2.4, timer N: a first NOTIFY must follow.
      if (!this.#isNotified) this.#dueAt = after(now, TRANSACTION_TIMEOUT_MS);
      if (!reports) this.#decide("unreported", now);
    }
  }

  /** @returns the status to answer the NOTIFY with. */
  handleNotify(notification: ReferNotification, now: Instant): number {
    if (this.#isTerminated) return SUBSCRIPTION_DOES_NOT_EXIST;
    const { isTerminated, expiresS, fragment } = notification;
    this.#isTerminated = isTerminated;
    if (this.#isDecided) return OK;
    this.#isNotified = true;
    // It may have overtaken the 202 (RFC 6665 §4.1.2.4), whose meaning it has, too.
    this.#accept(now);
    this.#dueAt = after(now, expiresS === undefined ? DEFAULT_EXPIRES_MS : expiresS * 1000);
    if (fragment !== undefined) this.#handleStatus(fragment, now);
    // Some peers end the subscription with the 100 Trying, and say no more.
    if (isTerminated) this.#decide("unreported", now, fragment);
    return OK;
  }

  /** The call is over; what it was transferred to may go on. */
  handleCallEnded(now: Instant): void {
    this.#hasCallEnded = true;
    if (this.#isAccepted) this.#dueAt = after(now, LATE_NOTIFY_MS);
    else this.#decide("unreported", now);
  }

  handleTimeout(now: Instant): void {
    const dueAt = this.nextTimeout;
    if (dueAt === undefined || elapsedMs(dueAt, now) < 0) return;
    this.#decide(this.#hasCallEnded ? "unreported" : "timedOut", now);
  }

  #accept(now: Instant, statusCode?: number): void {
    if (this.#isAccepted) return;
    this.#isAccepted = true;
    const status = statusCode === undefined ? {} : { statusCode };
    this.#output.push({ kind: "progress", progress: { type: "accepted", at: now, ...status } });
  }

  #handleStatus({ statusCode, reasonPhrase }: FragmentStatus, now: Instant): void {
    const status = { statusCode, reasonPhrase };
    if (statusCode >= 200) {
      this.#decide(statusCode < 300 ? "completed" : "failed", now, status);
      return;
    }
    this.#output.push({ kind: "progress", progress: { type: "progress", at: now, ...status } });
  }

  #decide(result: TransferOutcome["result"], at: Instant, status?: FragmentStatus): void {
    if (this.#isDecided) return;
    this.#isDecided = true;
    this.#output.push({ kind: "outcome", outcome: { result, at, ...status } });
  }
}
