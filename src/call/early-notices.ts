import type { Call } from "./call.ts";

/** Calls at once, and things of each; what a peer sends that is no call is forgotten in time. */
const EARLY_MAX = 64;

/** What is seen of a call before it is known: its first messages cross the socket before that. */
export class EarlyNotices {
  readonly #notices = new Map<string, ((call: Call) => void)[]>();

  add(callId: string, tell: (call: Call) => void): void {
    const early = this.#notices.get(callId) ?? [];
    if (early.length < EARLY_MAX) early.push(tell);
    this.#notices.set(callId, early);
    if (this.#notices.size <= EARLY_MAX) return;
    const [oldest] = this.#notices.keys();
    if (oldest !== undefined) this.#notices.delete(oldest);
  }

  /** Tells a call that is known now what was seen of it before. */
  tell(call: Call): void {
    const early = this.#notices.get(call.callId) ?? [];
    this.#notices.delete(call.callId);
    for (const tell of early) tell(call);
  }
}
