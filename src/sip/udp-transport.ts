import { type Transport, TransportError } from "sip.js/lib/core/index.js";
import {
  type Clock,
  type DatagramSocket,
  EnvironmentError,
  errorText,
  type Instant,
  isSidetoneError,
  type Logger,
  type Network,
  RemoteError,
  type SidetoneError,
  type SocketAddress,
  type Timer,
} from "../environment/index.ts";
import type { FaultPump } from "./fault-pump.ts";
import { type MessagePeek, peekMessage } from "./message-peek.ts";
import { NextHopResolver, nextHopOf } from "./next-hop.ts";
import { decodeMessageText } from "./parser.ts";
import { RecentMessages } from "./recent-messages.ts";
import { redactMessage } from "./redact.ts";
import { RetransmissionEngine, TRANSACTION_TIMEOUT_MS } from "./retransmission.ts";
import type { SipTrace } from "./sip-trace.ts";
import { hostPortText } from "./sip-uri.ts";

/** What the transport needs, and whom it tells. */
export interface UdpTransportOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly network: Network;
  readonly socket: DatagramSocket;
  /** What a scenario wants to go wrong. */
  readonly faults: FaultPump;
  readonly onTrace: ((trace: SipTrace) => void) | undefined;
  /** A datagram came; `data` is only valid during the call. It must not throw. */
  readonly onDatagram: (data: Uint8Array, text: string, from: SocketAddress) => void;
  /** A request of this call could not be sent, for the reason given. */
  readonly onSendFailed: (callId: string, error: SidetoneError) => void;
}

const encoder = new TextEncoder();
const CR = 13;
const LF = 10;

/**
 * SIP over UDP (RFC 3261 §18) for sip.js: finds the next hop of each message, repeats what the
 * transaction layer of sip.js does not, and traces everything that crosses the socket.
 */
export class UdpTransport implements Transport {
  readonly protocol = "UDP";
  readonly #options: UdpTransportOptions;
  readonly #local: string;
  readonly #resolver: NextHopResolver;
  readonly #retransmissions = new RetransmissionEngine();
  readonly #seen: Readonly<Record<SipTrace["direction"], RecentMessages>>;
  #timer: Timer | undefined;
  #timerDueAt: Instant | undefined;
  #isClosed = false;
  #arrivedAt: Instant | undefined;
  #lastSentAt: Instant | undefined;
  #sentCount = 0;

  constructor(options: UdpTransportOptions) {
    this.#options = options;
    this.#local = hostPortText(options.socket.local);
    this.#resolver = new NextHopResolver(options.network, options.clock);
    this.#seen = {
      sent: new RecentMessages(TRANSACTION_TIMEOUT_MS),
      received: new RecentMessages(TRANSACTION_TIMEOUT_MS),
    };
    options.socket.onDatagram = (data, from, arrivedAt) => this.#receive(data, from, arrivedAt);
    options.socket.onError = (error) => this.#handleSocketError(error);
  }

  /** Messages that may still have to be repeated. */
  get retransmissionCount(): number {
    return this.#retransmissions.size;
  }

  /** The arrival of the message that is being handled, else the present. */
  get messageInstant(): Instant {
    return this.#arrivedAt ?? this.#options.clock.now();
  }

  /** Runs `action`, which sends a message, and returns when the last one left the socket. */
  sentAt(action: () => void): Instant {
    const sentBefore = this.#sentCount;
    action();
    const wasSent = this.#sentCount > sentBefore && this.#lastSentAt !== undefined;
    return wasSent ? (this.#lastSentAt as Instant) : this.#options.clock.now();
  }

  /**
   * Sends a message of sip.js. The promise of a request stays open until it was answered, and is
   * rejected when the host reports its destination unreachable: sip.js then ends the transaction.
   */
  send(message: string): Promise<void> {
    const peek = peekMessage(message);
    const hop = nextHopOf(peek);
    if (hop === undefined) return Promise.reject(this.#failed(peek, noNextHop()));
    const to = this.#resolver.known(hop);
    if (to !== undefined) return this.#dispatch({ peek, text: message, to });
    return this.#resolver.resolve(hop).then(
      (resolved) => this.#dispatch({ peek, text: message, to: resolved }),
      (error: unknown) => Promise.reject(this.#failed(peek, resolveFailure(error))),
    );
  }

  /** Stops repeating the requests of a transaction. */
  forget(branch: string): void {
    this.#retransmissions.disarm(branch);
  }

  /** Stops everything and closes the socket. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#retransmissions.clear();
    this.#timer?.cancel();
    this.#options.socket.onDatagram = undefined;
    this.#options.socket.onError = undefined;
    await this.#options.socket.close();
  }

  #dispatch(message: OutgoingMessage): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#transmit(message);
    const now = this.#options.clock.now();
    return new Promise((resolve, reject) => {
      const isRepeated = this.#retransmissions.arm({ ...message, onUnreachable: reject }, now);
      this.#armTimer();
      if (!isRepeated || message.peek.statusCode !== undefined) resolve();
    });
  }

  #transmit(message: OutgoingMessage): void {
    const { peek, text } = message;
    const pass = (passed: string): void =>
      this.#put(passed === text ? message : alteredMessage(message, passed));
    this.#options.faults.handle({ direction: "sent", peek, text, pass });
  }

  #put(message: OutgoingMessage): void {
    if (this.#isClosed) return;
    const bytes = encoder.encode(message.text);
    this.#options.socket.send(bytes, message.to);
    this.#lastSentAt = this.#options.clock.now();
    this.#sentCount += 1;
    this.#trace("sent", { ...message, bytes, at: this.#lastSentAt });
  }

  #receive(datagram: Uint8Array, from: SocketAddress, arrivedAt: Instant): void {
    // RFC 3261 §7.5: line ends before the start line are ignored.
    const start = datagram.findIndex((byte) => byte !== CR && byte !== LF);
    if (start === -1) return;
    const data = start === 0 ? datagram : datagram.subarray(start);
    const text = decodeMessageText(data);
    const peek = peekMessage(text);
    this.#trace("received", { peek, text, bytes: data, to: from, at: arrivedAt });
    const { faults } = this.#options;
    if (!faults.concerns({ direction: "received", peek, text })) {
      this.#handle(data, { peek, text, from, arrivedAt });
      return;
    }
    // It may be handled later or again, and the socket's octets do not last.
    const kept = new Uint8Array(data);
    const pass = (): void => this.#handle(kept, { peek, text, from, arrivedAt });
    faults.handle({ direction: "received", peek, text, pass });
  }

  #handle(data: Uint8Array, arrival: Arrival): void {
    const { peek, text, from, arrivedAt } = arrival;
    if (this.#isClosed) return;
    this.#retransmissions.handleReceived(peek, arrivedAt);
    this.#arrivedAt = arrivedAt;
    try {
      this.#options.onDatagram(data, text, from);
    } finally {
      this.#arrivedAt = undefined;
    }
  }

  #trace(direction: SipTrace["direction"], message: TracedMessage): void {
    const { onTrace } = this.#options;
    if (onTrace === undefined) return;
    const { peek, at } = message;
    const text = redactMessage(message.text);
    onTrace({
      at,
      direction,
      transport: this.protocol,
      local: this.#local,
      remote: hostPortText(message.to),
      startLine: peek.startLine,
      method: peek.method,
      ...(peek.statusCode === undefined ? {} : { statusCode: peek.statusCode }),
      cseq: peek.cseq,
      callId: peek.callId,
      text,
      retransmission: this.#seen[direction].isRepeated(message.text, at),
      bytes: text === message.text ? new Uint8Array(message.bytes) : encoder.encode(text),
    });
  }

  #armTimer(): void {
    const dueAt = this.#retransmissions.nextTimeout;
    if (dueAt === undefined || this.#isClosed) return;
    if (this.#timerDueAt !== undefined && this.#timerDueAt <= dueAt) return;
    this.#timer?.cancel();
    this.#timerDueAt = dueAt;
    this.#timer = this.#options.clock.setTimer(dueAt, () => this.#repeatDue());
  }

  #repeatDue(): void {
    this.#timerDueAt = undefined;
    this.#retransmissions.handleTimeout(this.#options.clock.now());
    for (;;) {
      const message = this.#retransmissions.takeOutput();
      if (message === undefined) break;
      this.#transmit(message);
    }
    this.#armTimer();
  }

  #handleSocketError(error: Error): void {
    const to = destinationOf(error);
    this.#options.logger.warn("The SIP socket reported an error.", { code: codeOf(error) });
    if (to === undefined) return;
    for (const request of this.#retransmissions.takeRequestsTo(to)) {
      request.onUnreachable?.(this.#failed(request.peek, unreachable(error)));
    }
  }

  /** Notes why a request failed; sip.js learns no more than that it did. */
  #failed(peek: MessagePeek, error: SidetoneError): TransportError {
    if (peek.statusCode === undefined) this.#options.onSendFailed(peek.callId, error);
    return new TransportError(errorText(error));
  }
}

/** The trace shows what left, in the call to which it belonged. */
function alteredMessage(message: OutgoingMessage, text: string): OutgoingMessage {
  return { ...message, text, peek: { ...peekMessage(text), callId: message.peek.callId } };
}

interface OutgoingMessage {
  readonly peek: MessagePeek;
  readonly text: string;
  readonly to: SocketAddress;
}

interface Arrival {
  readonly peek: MessagePeek;
  readonly text: string;
  readonly from: SocketAddress;
  readonly arrivedAt: Instant;
}

interface TracedMessage extends OutgoingMessage {
  readonly bytes: Uint8Array;
  readonly at: Instant;
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "unknown";
}

/** Node's errors of one datagram name its destination. */
function destinationOf(error: Error): SocketAddress | undefined {
  if (!("address" in error) || !("port" in error)) return undefined;
  return { address: String(error.address), port: Number(error.port) };
}

function noNextHop(): SidetoneError {
  return new RemoteError(
    "ERR_SIP_NO_NEXT_HOP",
    "A SIP message names no address to which it could be sent. Look at Contact, Route and Via in the trace.",
  );
}

function resolveFailure(error: unknown): SidetoneError {
  if (isSidetoneError(error)) return error;
  return new EnvironmentError(
    "ERR_HOST_UNRESOLVED",
    "A host name could not be resolved. Check its spelling and this machine's DNS.",
    { cause: error },
  );
}

/** ICMP "port unreachable" is the peer's word; all else is our host's or our network's. */
function unreachable(error: Error): SidetoneError {
  const code = codeOf(error);
  if (code === "ECONNREFUSED") {
    return new RemoteError(
      "ERR_SIP_PEER_UNREACHABLE",
      "The peer's host says that nothing listens on the SIP port. Check the target's host and port.",
      { cause: error },
    );
  }
  return new EnvironmentError(
    "ERR_NETWORK_UNREACHABLE",
    `The network did not take a SIP message (${code}). Check the target's address and this machine's routes.`,
    { context: { code }, cause: error },
  );
}
