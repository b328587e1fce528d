import { elapsedMs, type Instant, type SocketAddress } from "../environment/index.ts";

/** Another port of the peer is believed only after the present one has been silent for so long. */
const REBIND_SILENCE_MS = 500;

/** What a datagram's address means. */
export type SourceVerdict =
  /** From where the peer's packets come. */
  | "peer"
  /** Perhaps the peer's, but from elsewhere than before: to be followed if it is what it claims. */
  | "candidate"
  /** Somebody else's. */
  | "foreign";

/**
 * Symmetric RTP with a source lock (RFC 4961): whose packets count.
 *
 * The negotiated address counts. A NAT may have changed the port, so the first packet's port is
 * latched where it comes from the negotiated host; packets from exactly the negotiated port take
 * the lock back from a port that was only latched. With `followsSource` (comedia) the host may
 * differ, too. Once locked, another source of the same host is believed only when the present one
 * has been silent for half a second: an injected packet cannot take a running stream over.
 */
export class SourceLock {
  readonly #followsSource: boolean;
  #negotiated: SocketAddress;
  #locked: SocketAddress | undefined;
  #lastAt: Instant | undefined;

  constructor(negotiated: SocketAddress, followsSource: boolean) {
    this.#negotiated = negotiated;
    this.#followsSource = followsSource;
  }

  /** Where packets come from: as locked, or as negotiated while none has come. */
  get source(): SocketAddress {
    return this.#locked ?? this.#negotiated;
  }

  /** The peer has moved (re-INVITE): its packets come from there now. */
  moveTo(negotiated: SocketAddress): void {
    if (isSame(negotiated, this.#negotiated)) return;
    this.#negotiated = negotiated;
    this.#locked = undefined;
  }

  /** Judges where a datagram came from. */
  judge(from: SocketAddress, now: Instant): SourceVerdict {
    if (this.#locked !== undefined && isSame(from, this.#locked)) return "peer";
    if (!this.#mayLock(from, now)) return "foreign";
    const isExpected = this.#locked === undefined && isSame(from, this.#negotiated);
    return isExpected ? "peer" : "candidate";
  }

  /**
   * A datagram from there was a packet of the stream: decrypted, of a payload type that was agreed
   * on. Only such ones may lock.
   */
  accept(from: SocketAddress, now: Instant): void {
    this.#lastAt = now;
    if (this.#locked !== undefined && isSame(from, this.#locked)) return;
    this.#locked = { address: from.address, port: from.port };
  }

  #mayLock(from: SocketAddress, now: Instant): boolean {
    if (isSame(from, this.#negotiated)) return true;
    if (from.address !== this.#negotiated.address && !this.#followsSource) return false;
    return this.#lastAt === undefined || elapsedMs(this.#lastAt, now) >= REBIND_SILENCE_MS;
  }
}

function isSame(one: SocketAddress, other: SocketAddress): boolean {
  return one.port === other.port && one.address === other.address;
}
