import {
  after,
  elapsedMs,
  type Instant,
  type SidetoneError,
  type SocketAddress,
} from "../environment/index.ts";
import type { MessagePeek } from "./message-peek.ts";

/** RFC 3261 §17.1.1.1: an estimate of the round trip. */
const T1_MS = 500;
/** The longest interval between retransmissions of all but INVITE requests. */
const T2_MS = 4000;
/** After 64·T1 a transaction gives up (timers B, F, H). */
export const TRANSACTION_TIMEOUT_MS: number = 64 * T1_MS;

/** A datagram that is to be sent again. */
export interface Retransmission {
  readonly peek: MessagePeek;
  readonly text: string;
  readonly to: SocketAddress;
  /** Kept for the caller: whom to tell when the destination turns out to be unreachable. */
  readonly onUnreachable?: (error: SidetoneError) => void;
}

interface Armed extends Retransmission {
  dueAt: Instant;
  intervalMs: number;
  /** INVITE requests double without limit (timer A), all else stops at T2 (timers E and G). */
  readonly maxIntervalMs: number;
  readonly givesUpAt: Instant;
}

/**
 * Timers A, E and G of RFC 3261 §17 for a transport that loses messages; sip.js has none of them.
 *
 * A request is sent again until a response to it comes, a non-2xx response to INVITE until its ACK
 * comes. (sip.js itself repeats 2xx responses and ACKs.) It performs no I/O and reads no clock:
 * the caller sends what `takeOutput` gives, and arms one timer for `nextTimeout`.
 */
export class RetransmissionEngine {
  readonly #armed = new Map<string, Armed>();
  #output: Retransmission[] = [];
  #nextTimeout: Instant | undefined;

  /** How many messages may still have to be repeated. */
  get size(): number {
    return this.#armed.size;
  }

  /** When to call `handleTimeout`; may be early by what was disarmed since. */
  get nextTimeout(): Instant | undefined {
    return this.#armed.size === 0 ? undefined : this.#nextTimeout;
  }

  /**
   * Notes a message that is sent at `now`.
   * @returns false where it is not repeated by us: ACK, 1xx, 2xx, and what is armed already.
   */
  arm(message: Retransmission, now: Instant): boolean {
    const key = armingKey(message.peek);
    if (key === undefined || this.#armed.has(key)) return false;
    const isInviteRequest = message.peek.statusCode === undefined && isInvite(message.peek);
    const dueAt = after(now, T1_MS);
    this.#armed.set(key, {
      ...message,
      dueAt,
      intervalMs: T1_MS,
      maxIntervalMs: isInviteRequest ? Number.POSITIVE_INFINITY : T2_MS,
      givesUpAt: after(now, TRANSACTION_TIMEOUT_MS),
    });
    this.#lowerTimeout(dueAt);
    return true;
  }

  /** A message arrived: what it answers needs no repetition any more. */
  handleReceived(peek: MessagePeek, now: Instant): void {
    if (peek.statusCode === undefined) {
      if (peek.method === "ACK") this.#armed.delete(responseKey(peek));
      return;
    }
    const armed = this.#armed.get(requestKey(peek));
    if (armed === undefined) return;
    if (peek.statusCode >= 200 || isInvite(peek)) {
      this.#armed.delete(requestKey(peek));
      return;
    }
    // RFC 3261 §17.1.2.2: in Proceeding, a non-INVITE request is repeated each T2.
    armed.intervalMs = T2_MS;
    armed.dueAt = after(now, T2_MS);
  }

  /** Queues what is due at or before `now`. */
  handleTimeout(now: Instant): void {
    this.#nextTimeout = undefined;
    for (const [key, armed] of this.#armed) {
      if (elapsedMs(armed.dueAt, now) >= 0) this.#repeat(armed);
      if (elapsedMs(armed.givesUpAt, armed.dueAt) >= 0) this.#armed.delete(key);
      else this.#lowerTimeout(armed.dueAt);
    }
  }

  /** Removes and returns the next message to be sent again. */
  takeOutput(): Retransmission | undefined {
    return this.#output.shift();
  }

  /** Forgets all client requests of a transaction. */
  disarm(branch: string): void {
    for (const [key, armed] of this.#armed) {
      if (armed.peek.statusCode === undefined && armed.peek.via?.branch === branch) {
        this.#armed.delete(key);
      }
    }
  }

  /** Removes and returns the requests that wait for an answer from `to`. */
  takeRequestsTo(to: SocketAddress): Retransmission[] {
    const taken: Retransmission[] = [];
    for (const [key, armed] of this.#armed) {
      const isTo = armed.to.address === to.address && armed.to.port === to.port;
      if (!isTo || armed.peek.statusCode !== undefined) continue;
      this.#armed.delete(key);
      taken.push(armed);
    }
    return taken;
  }

  clear(): void {
    this.#armed.clear();
    this.#output = [];
  }

  #repeat(armed: Armed): void {
    this.#output.push(armed);
    armed.intervalMs = Math.min(armed.intervalMs * 2, armed.maxIntervalMs);
    armed.dueAt = after(armed.dueAt, armed.intervalMs);
  }

  #lowerTimeout(dueAt: Instant): void {
    if (this.#nextTimeout === undefined || dueAt < this.#nextTimeout) this.#nextTimeout = dueAt;
  }
}

function isInvite(peek: MessagePeek): boolean {
  return peek.method === "INVITE";
}

function armingKey(peek: MessagePeek): string | undefined {
  if (peek.statusCode === undefined) {
    return peek.method === "ACK" || peek.method === "" ? undefined : requestKey(peek);
  }
  return peek.statusCode >= 300 && isInvite(peek) ? responseKey(peek) : undefined;
}

/** RFC 3261 §17.1.3: the branch, and the method because CANCEL shares it with INVITE. */
function requestKey(peek: MessagePeek): string {
  return `c ${peek.via?.branch ?? ""} ${peek.method}`;
}

/** RFC 3261 §17.2.3: the ACK has the branch and sent-by of the INVITE. */
function responseKey(peek: MessagePeek): string {
  const { via } = peek;
  return `s ${via?.branch ?? `${peek.callId} ${peek.cseq}`} ${via?.host ?? ""}:${via?.port ?? ""}`;
}
