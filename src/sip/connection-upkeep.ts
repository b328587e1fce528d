import { after, type Instant, type Random } from "../environment/index.ts";

/** What a connection needs without anybody having asked for it. */
export type UpkeepAction =
  /** Send a double CRLF. */
  | "ping"
  /** Send a CRLF: the peer has pinged. */
  | "pong"
  /** Nobody needs the connection any more: close it. */
  | "idle"
  /** The peer owes a pong: the connection is dead. */
  | "silent";

export interface UpkeepOptions {
  readonly random: Random;
  /** We opened the connection; the opener pings (RFC 5626 §4.4.1). */
  readonly isOpener: boolean;
  /** How long it may be without a message while nobody needs it. */
  readonly idleLimitMs: number;
}

/** RFC 5626 §4.4.1: without a Flow-Timer, pings are 95 to 120 s apart. */
const PING_INTERVAL_MIN_MS = 95_000;
const PING_INTERVAL_SPAN_MS = 25_000;
/** RFC 5626 §4.4.1. */
const PONG_LIMIT_MS = 10_000;

/**
 * Keep-alive by CRLF (RFC 5626 §3.5.1, §4.4.1) and the end of connections that nobody needs.
 *
 * Whether the peer knows of pings is not negotiated. So its silence counts as the end of the
 * connection only if it has answered a ping before. An engine: no I/O, no clock.
 */
export class ConnectionUpkeep {
  readonly #options: UpkeepOptions;
  readonly #output: UpkeepAction[] = [];
  #idleAt: Instant;
  #pingAt: Instant;
  /** When the pong must have come. */
  #pongDueAt: Instant | undefined;
  #hasPonged = false;
  /** An odd number of line ends came: half a ping. */
  #isHalfPing = false;

  constructor(options: UpkeepOptions, now: Instant) {
    this.#options = options;
    this.#idleAt = after(now, options.idleLimitMs);
    this.#pingAt = this.#nextPing(now);
  }

  /** A message crossed the connection, either way. */
  handleMessage(now: Instant): void {
    this.#isHalfPing = false;
    this.#idleAt = after(now, this.#options.idleLimitMs);
    this.#pingAt = this.#nextPing(now);
  }

  /** A line end came between messages. */
  handleLineEnd(now: Instant): void {
    if (this.#pongDueAt !== undefined) {
      this.#pongDueAt = undefined;
      this.#hasPonged = true;
      return;
    }
    this.#isHalfPing = !this.#isHalfPing;
    if (this.#isHalfPing) return;
    // A peer that pings wants the connection to stay.
    this.#idleAt = after(now, this.#options.idleLimitMs);
    this.#output.push("pong");
  }

  get nextTimeout(): Instant {
    const ping = this.#options.isOpener ? this.#pingAt : this.#idleAt;
    const pong = this.#pongDueAt ?? this.#idleAt;
    return Math.min(this.#idleAt, ping, pong) as Instant;
  }

  /** @param isNeeded whether calls or registrations use the connection. */
  handleTimeout(now: Instant, isNeeded: boolean): void {
    if (this.#pongDueAt !== undefined && now >= this.#pongDueAt) {
      this.#pongDueAt = undefined;
      if (this.#hasPonged) this.#output.push("silent");
    }
    if (now >= this.#idleAt) {
      if (!isNeeded) this.#output.push("idle");
      this.#idleAt = after(now, this.#options.idleLimitMs);
    }
    if (!this.#options.isOpener || now < this.#pingAt) return;
    this.#output.push("ping");
    this.#pongDueAt = after(now, PONG_LIMIT_MS);
    this.#pingAt = this.#nextPing(now);
  }

  takeOutput(): UpkeepAction | undefined {
    return this.#output.shift();
  }

  #nextPing(now: Instant): Instant {
    return after(now, PING_INTERVAL_MIN_MS + this.#options.random() * PING_INTERVAL_SPAN_MS);
  }
}
