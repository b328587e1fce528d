import { after, type Instant } from "../environment/index.ts";
import type { Target } from "./locate.ts";
import type { MessagePeek } from "./message-peek.ts";
import { TRANSACTION_TIMEOUT_MS } from "./retransmission.ts";

/** Where a request went. */
export interface Route {
  readonly target: Target;
  /** Our address towards it, where we have several. */
  readonly localAddress: string | undefined;
}

interface Entry {
  route: Route;
  /** `undefined` while the INVITE rings. */
  until: Instant | undefined;
}

/**
 * Where each INVITE went, because its CANCEL (RFC 3261 §9.1) and the ACK of its rejection
 * (§17.1.1.3) have to go the same way, even if a look-up would lead elsewhere by now.
 */
export class ClientRoutes {
  readonly #entries = new Map<string, Entry>();
  #sweepAt: Instant | undefined;

  /** INVITEs that are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  note(peek: MessagePeek, route: Route, now: Instant): void {
    const branch = peek.via?.branch;
    if (peek.method !== "INVITE" || branch === undefined) return;
    this.#sweep(now);
    this.#entries.set(branch, { route, until: after(now, 2 * TRANSACTION_TIMEOUT_MS) });
  }

  /** The way that this CANCEL or ACK has to go. */
  routeOf(peek: MessagePeek): Route | undefined {
    if (peek.method !== "CANCEL" && peek.method !== "ACK") return undefined;
    return this.#entries.get(peek.via?.branch ?? "")?.route;
  }

  handleReceived(peek: MessagePeek, now: Instant): void {
    if (peek.method !== "INVITE" || peek.statusCode === undefined) return;
    const entry = this.#entries.get(peek.via?.branch ?? "");
    if (entry === undefined) return;
    const isFinal = peek.statusCode >= 200;
    entry.until = isFinal ? after(now, 2 * TRANSACTION_TIMEOUT_MS) : undefined;
  }

  forget(branch: string): void {
    this.#entries.delete(branch);
  }

  clear(): void {
    this.#entries.clear();
  }

  #sweep(now: Instant): void {
    this.#sweepAt ??= after(now, TRANSACTION_TIMEOUT_MS);
    if (now < this.#sweepAt) return;
    this.#sweepAt = after(now, TRANSACTION_TIMEOUT_MS);
    for (const [branch, { until }] of this.#entries) {
      if (until !== undefined && until <= now) this.#entries.delete(branch);
    }
  }
}
