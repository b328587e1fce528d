import {
  type DatagramSocket,
  elapsedMs,
  type Instant,
  type SocketAddress,
} from "../environment/index.ts";

/** A peer that sends nothing for so long, or half the limit, is looked after: is its port open? */
const PROBE_AFTER_MS_MAX = 1000;
const PROBE_MS = 500;

/**
 * Watches whether the peer's packets come. Where they cease, it ties the socket to the peer for
 * half a second, so that the host tells of ICMP errors: "port unreachable" names a vanished peer
 * that a time-out would only suspect.
 */
export class PeerWatch {
  /** The last ICMP error, as the host named it: ECONNREFUSED, EHOSTUNREACH, ENETUNREACH. */
  unreachable: string | undefined;
  readonly #socket: DatagramSocket;
  readonly #limitMs: number;
  #isDue = false;
  #isExpecting = false;
  #since: Instant | undefined;
  #probe: { readonly startedAt: Instant; isTied: boolean } | undefined;

  constructor(socket: DatagramSocket, limitMs: number) {
    this.#socket = socket;
    this.#limitMs = limitMs;
  }

  /**
   * Whether audio is due. Before the call is answered (`isEarly`) a peer may still be silent, and
   * one that was on hold has its full time again when it comes back.
   */
  expect(isDue: boolean, now: Instant, isEarly = false): void {
    this.#isDue = isDue;
    const isExpected = isDue && !isEarly;
    if (isExpected && !this.#isExpecting) this.#since = now;
    this.#isExpecting = isExpected;
    if (!isExpected) this.#untie();
  }

  /** The call whose media began early was answered. */
  handleAnswered(now: Instant): void {
    this.expect(this.#isDue, now);
  }

  /**
   * Asked once per frame.
   * @returns since when nothing has come, once it is too long; then not again.
   */
  check(
    lastArrivalAt: Instant | undefined,
    peer: SocketAddress | undefined,
    now: Instant,
  ): { readonly since: Instant; readonly silentMs: number } | undefined {
    if (!this.#isExpecting || this.#since === undefined) return undefined;
    const since =
      lastArrivalAt !== undefined && lastArrivalAt > this.#since ? lastArrivalAt : this.#since;
    const silentMs = elapsedMs(since, now);
    this.#followProbe(silentMs, peer, now);
    if (silentMs < this.#limitMs) return undefined;
    this.#isExpecting = false;
    this.#untie();
    return { since, silentMs };
  }

  /** An error of the socket. */
  handleError(error: Error & { readonly code?: string }): void {
    const { code } = error;
    if (code === "ECONNREFUSED" || code === "EHOSTUNREACH" || code === "ENETUNREACH") {
      this.unreachable = code;
    }
  }

  #followProbe(silentMs: number, peer: SocketAddress | undefined, now: Instant): void {
    if (silentMs < Math.min(PROBE_AFTER_MS_MAX, this.#limitMs / 2)) {
      this.#untie();
      this.#probe = undefined;
      return;
    }
    if (this.#probe === undefined && peer !== undefined) {
      this.#probe = { startedAt: now, isTied: true };
      this.#socket.tieTo(peer);
    } else if (this.#probe?.isTied && elapsedMs(this.#probe.startedAt, now) >= PROBE_MS) {
      this.#untie();
    }
  }

  #untie(): void {
    if (this.#probe?.isTied !== true) return;
    this.#probe.isTied = false;
    this.#socket.tieTo(undefined);
  }
}
