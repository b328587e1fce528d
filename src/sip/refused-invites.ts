import type { ResponseOptions } from "sip.js/lib/core/index.js";
import { elapsedMs, type Instant } from "../environment/index.ts";
import { TRANSACTION_TIMEOUT_MS } from "./retransmission.ts";

/**
 * INVITEs that sip.js refused without a transaction, as it does with colliding re-INVITEs: a
 * repetition has to get the same response again (RFC 3261 §8.2.7), not the 500 of a request that
 * was overtaken. Two generations, so that its memory is bounded by the rate of refusals.
 */
export class RefusedInvites {
  #current = new Map<string, ResponseOptions>();
  #previous = new Map<string, ResponseOptions>();
  #currentSince: Instant | undefined;

  note(transaction: string, response: ResponseOptions, now: Instant): void {
    this.#turnOver(now);
    this.#current.set(transaction, response);
  }

  /** The response of the last 32 to 64 s to this transaction. */
  find(transaction: string, now: Instant): ResponseOptions | undefined {
    this.#turnOver(now);
    return this.#current.get(transaction) ?? this.#previous.get(transaction);
  }

  #turnOver(now: Instant): void {
    this.#currentSince ??= now;
    if (elapsedMs(this.#currentSince, now) <= TRANSACTION_TIMEOUT_MS) return;
    this.#previous = this.#current;
    this.#current = new Map();
    this.#currentSince = now;
  }
}
