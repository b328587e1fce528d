import type {
  Clock,
  DatagramSocket,
  Instant,
  Logger,
  SocketAddress,
  Timer,
} from "../environment/index.ts";
import { EnvironmentError, RemoteError, type SidetoneError } from "../environment/index.ts";
import type { Channel, ChannelEvents, OutgoingMessage, SendFailure } from "./channel.ts";
import { peekMessage } from "./message-peek.ts";
import type { LocalIdentity } from "./message-stamp.ts";
import { decodeMessageText } from "./parser.ts";
import { RetransmissionEngine } from "./retransmission.ts";
import { hostPortText } from "./sip-uri.ts";

export interface UdpChannelOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly id: number;
  readonly socket: DatagramSocket;
  readonly events: ChannelEvents;
}

const encoder = new TextEncoder();
const CR = 13;
const LF = 10;

/**
 * SIP over one UDP socket (RFC 3261 §18): repeats what the transaction layer of sip.js does not.
 */
export class UdpChannel implements Channel {
  readonly id: number;
  readonly transport = "udp";
  readonly identity: LocalIdentity;
  readonly local: SocketAddress;
  readonly #options: UdpChannelOptions;
  readonly #retransmissions = new RetransmissionEngine();
  #timer: Timer | undefined;
  #timerDueAt: Instant | undefined;
  #isClosed = false;

  constructor(options: UdpChannelOptions) {
    const { socket } = options;
    this.#options = options;
    this.id = options.id;
    this.local = socket.local;
    this.identity = { transport: "udp", sentBy: hostPortText(socket.local) };
    socket.onDatagram = (data, from, arrivedAt) => this.#receive(data, from, arrivedAt);
    socket.onError = (error) => this.#handleSocketError(error);
  }

  /** Messages that may still have to be repeated. */
  get retransmissionCount(): number {
    return this.#retransmissions.size;
  }

  /**
   * Sends a message and repeats it as long as it needs. `onUnreachable` is called when the host
   * reports that the destination of a request cannot be reached.
   */
  send(message: OutgoingMessage, to: SocketAddress, onUnreachable: SendFailure): void {
    const { events, clock } = this.#options;
    const outgoing = {
      peek: message.peek,
      text: events.stamped(message, this),
      to,
      onUnreachable,
    };
    this.#transmit(outgoing);
    this.#retransmissions.arm(outgoing, clock.now());
    this.#armTimer();
  }

  /** Stops repeating the requests of a transaction. */
  forget(branch: string): void {
    this.#retransmissions.disarm(branch);
  }

  /** Stops everything and closes the socket. */
  async close(): Promise<void> {
    const { socket } = this.#options;
    this.#isClosed = true;
    this.#retransmissions.clear();
    this.#timer?.cancel();
    socket.onDatagram = undefined;
    socket.onError = undefined;
    await socket.close();
  }

  #transmit(message: OutgoingMessage & { readonly to: SocketAddress }): void {
    const { socket, clock, events } = this.#options;
    const { to } = message;
    events.onSending(message.peek, message.text, (peek, text) => {
      if (this.#isClosed) return;
      const bytes = encoder.encode(text);
      socket.send(bytes, to);
      events.onSent({ channel: this, remote: to, peek, text, bytes, at: clock.now() });
    });
  }

  #receive(datagram: Uint8Array, from: SocketAddress, at: Instant): void {
    // RFC 3261 §7.5: line ends before the start line are ignored.
    const start = datagram.findIndex((byte) => byte !== CR && byte !== LF);
    if (start === -1) return;
    const bytes = start === 0 ? datagram : datagram.subarray(start);
    const text = decodeMessageText(bytes);
    const peek = peekMessage(text);
    const crossing = { channel: this, remote: from, peek, text, bytes, at };
    this.#options.events.onReceived(crossing, () => this.#retransmissions.handleReceived(peek, at));
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
      request.onUnreachable?.(unreachable(error));
    }
  }
}

function codeOf(error: Error): string {
  return "code" in error ? String(error.code) : "unknown";
}

/** Node's errors of one datagram name its destination. */
function destinationOf(error: Error): SocketAddress | undefined {
  if (!("address" in error) || !("port" in error)) return undefined;
  return { address: String(error.address), port: Number(error.port) };
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
