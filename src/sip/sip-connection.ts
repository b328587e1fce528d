import {
  type Clock,
  type Instant,
  type Random,
  RemoteError,
  type SidetoneError,
  type SocketAddress,
  type Timer,
} from "../environment/index.ts";
import type { Channel, ChannelEvents, OutgoingMessage, SendFailure } from "./channel.ts";
import { ConnectionUpkeep } from "./connection-upkeep.ts";
import { type MessagePeek, peekMessage } from "./message-peek.ts";
import type { LocalIdentity } from "./message-stamp.ts";
import { decodeMessageText } from "./parser.ts";
import type { Pipe } from "./pipe.ts";
import { TRANSACTION_TIMEOUT_MS } from "./retransmission.ts";
import type { StreamPiece } from "./stream-framing.ts";
import type { SipTransport } from "./transport-name.ts";

/** A message given to a connection. */
export interface Dispatched extends OutgoingMessage {
  readonly onFailed: SendFailure;
  /** It was sent on a connection before, which broke. */
  readonly isRepeated?: boolean;
}

export interface SipConnectionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly id: number;
  readonly transport: SipTransport;
  /** We opened it. */
  readonly isOpener: boolean;
  readonly events: ChannelEvents;
  /** What messages shall say of this connection; asked once it stands. */
  readonly identityOf: (local: SocketAddress) => LocalIdentity;
  /** Whether a call or registration with this Call-ID lives. */
  readonly isLive: (callId: string) => boolean;
  /** What arrived was no SIP. */
  readonly onGarbage: (reason: string) => void;
  /** It ended. What was not answered, or not sent, may go another way. */
  readonly onClosed: (unanswered: readonly Dispatched[], error: SidetoneError | undefined) => void;
}

/**
 * After so long without a message no transaction can need the connection (RFC 3261 §18: keep it
 * open for some time after the last message).
 */
const OPENER_IDLE_MS: number = TRANSACTION_TIMEOUT_MS;
/** The peer opened it, so it is the peer's to close; but not everyone does. */
const ACCEPTOR_IDLE_MS = 600_000;
const encoder = new TextEncoder();
/** Call-IDs that are looked after; beyond, ended ones are forgotten early. */
const CALL_IDS_SWEEP = 4096;

interface Unanswered {
  readonly message: Dispatched;
  readonly sentAt: Instant;
}

/**
 * One connection that carries SIP: queues what is sent while it is being opened, remembers which
 * requests wait for an answer, keeps itself alive while calls need it and closes when none does.
 */
export class SipConnection implements Channel {
  readonly id: number;
  readonly transport: SipTransport;
  readonly #options: SipConnectionOptions;
  readonly #upkeep: ConnectionUpkeep;
  readonly #callIds = new Set<string>();
  readonly #unanswered = new Map<string, Unanswered>();
  #queue: Dispatched[] = [];
  #pipe: Pipe | undefined;
  #identity: LocalIdentity | undefined;
  #state: "connecting" | "open" | "closed" = "connecting";
  #timer: Timer | undefined;
  #timerDueAt: Instant | undefined;

  constructor(options: SipConnectionOptions) {
    this.#options = options;
    this.id = options.id;
    this.transport = options.transport;
    this.#upkeep = new ConnectionUpkeep(
      {
        random: options.random,
        isOpener: options.isOpener,
        idleLimitMs: options.isOpener ? OPENER_IDLE_MS : ACCEPTOR_IDLE_MS,
      },
      options.clock.now(),
    );
  }

  /** It stood once; else opening it failed. */
  get wasOpen(): boolean {
    return this.#pipe !== undefined;
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  get local(): SocketAddress {
    return this.#openPipe().local;
  }

  get remote(): SocketAddress {
    return this.#openPipe().remote;
  }

  get identity(): LocalIdentity {
    this.#identity ??= this.#options.identityOf(this.local);
    return this.#identity;
  }

  /** The connection stands: what waited is sent. */
  open(pipe: Pipe): void {
    if (this.#state !== "connecting") {
      pipe.terminate();
      return;
    }
    this.#pipe = pipe;
    this.#state = "open";
    pipe.onPiece = (piece, at) => this.#handlePiece(piece, at);
    pipe.onClose = (error) => this.#handleClosed(error);
    for (const message of this.#queue.splice(0)) this.#transmit(message, pipe);
    this.#armTimer();
  }

  /** It could not be opened. */
  fail(error: SidetoneError): void {
    this.#handleClosed(error);
  }

  send(message: Dispatched): void {
    if (this.#pipe === undefined) this.#queue.push(message);
    else this.#transmit(message, this.#pipe);
  }

  /** No answer to these requests is waited for any more. */
  forget(branch: string): void {
    for (const [key, { message }] of this.#unanswered) {
      if (message.peek.via?.branch === branch) this.#unanswered.delete(key);
    }
  }

  /** Breaks it without a word, as a network or a host does; it then ends as any that broke. */
  breakOff(): void {
    this.#pipe?.terminate();
    // At once: what is sent until the host says so would be lost, and traced as sent.
    this.#handleClosed(undefined);
  }

  /** Ends it in order, without telling `onClosed`. */
  close(): void {
    this.#detach();
    this.#pipe?.close();
  }

  #transmit(message: Dispatched, pipe: Pipe): void {
    const { clock, events } = this.#options;
    const { peek } = message;
    const key = requestKey(peek);
    if (key !== undefined) this.#unanswered.set(key, { message, sentAt: clock.now() });
    events.onSending(peek, events.stamped(message, this), (passed, text) => {
      if (this.#state !== "open") return;
      pipe.send(text);
      const at = clock.now();
      this.#noteMessage(peek.callId, at);
      const bytes = encoder.encode(text);
      events.onSent({ channel: this, remote: pipe.remote, peek: passed, text, bytes, at });
    });
  }

  #handlePiece(piece: StreamPiece, at: Instant): void {
    if (this.#state !== "open") return;
    switch (piece.kind) {
      case "lineEnd":
        this.#upkeep.handleLineEnd(at);
        this.#runUpkeep();
        break;
      case "message":
        this.#handleMessage(piece.data, at);
        break;
      case "garbage":
        this.#options.onGarbage(piece.reason);
        this.#pipe?.close();
        break;
    }
  }

  #handleMessage(bytes: Uint8Array, at: Instant): void {
    const text = decodeMessageText(bytes);
    const peek = peekMessage(text);
    this.#noteMessage(peek.callId, at);
    this.#options.events.onReceived(
      { channel: this, remote: this.remote, peek, text, bytes, at },
      () => {
        if (peek.statusCode !== undefined) this.#unanswered.delete(responseKey(peek));
      },
    );
  }

  #noteMessage(callId: string, at: Instant): void {
    this.#callIds.add(callId);
    if (this.#callIds.size >= CALL_IDS_SWEEP) this.#isNeeded();
    this.#upkeep.handleMessage(at);
    this.#armTimer();
  }

  /** Whether a call that it carried lives; the others are forgotten. */
  #isNeeded(): boolean {
    for (const callId of this.#callIds) {
      if (!this.#options.isLive(callId)) this.#callIds.delete(callId);
    }
    return this.#callIds.size > 0;
  }

  #armTimer(): void {
    const { clock } = this.#options;
    const dueAt = this.#upkeep.nextTimeout;
    if (this.#state !== "open") return;
    // One that is due earlier looks again when it fires.
    if (this.#timerDueAt !== undefined && this.#timerDueAt <= dueAt) return;
    this.#timer?.cancel();
    this.#timerDueAt = dueAt;
    this.#timer = clock.setTimer(dueAt, () => {
      this.#timerDueAt = undefined;
      const now = clock.now();
      if (now >= this.#upkeep.nextTimeout) this.#upkeep.handleTimeout(now, this.#isNeeded());
      this.#runUpkeep();
    });
  }

  #runUpkeep(): void {
    for (;;) {
      const action = this.#upkeep.takeOutput();
      if (action === undefined) break;
      if (action === "ping") this.#pipe?.send("\r\n\r\n");
      else if (action === "pong") this.#pipe?.send("\r\n");
      else if (action === "idle") this.#pipe?.close();
      else this.#pipe?.terminate();
    }
    this.#armTimer();
  }

  #handleClosed(error: SidetoneError | undefined): void {
    if (this.#state === "closed") return;
    const now = this.#options.clock.now();
    const waiting = [...this.#unanswered.values()]
      // sip.js has given up the older ones.
      .filter(({ sentAt }) => now - sentAt < TRANSACTION_TIMEOUT_MS)
      .map(({ message }) => message);
    const unsent = this.#queue;
    this.#detach();
    this.#options.onClosed([...waiting, ...unsent], error);
  }

  #detach(): void {
    this.#state = "closed";
    this.#timer?.cancel();
    this.#unanswered.clear();
    this.#queue = [];
    if (this.#pipe === undefined) return;
    this.#pipe.onPiece = undefined;
    this.#pipe.onClose = undefined;
  }

  #openPipe(): Pipe {
    if (this.#pipe === undefined) throw new Error("Bug: the connection is not open yet.");
    return this.#pipe;
  }
}

/** Requests that expect an answer. */
function requestKey(peek: MessagePeek): string | undefined {
  if (peek.statusCode !== undefined || peek.method === "ACK") return undefined;
  return responseKey(peek);
}

function responseKey(peek: MessagePeek): string {
  return `${peek.via?.branch ?? ""} ${peek.method}`;
}

/** The connection broke under a request for the second time. */
export function connectionLost(): RemoteError {
  return new RemoteError(
    "ERR_CONNECTION_LOST",
    "The peer closed the connection before it answered our SIP request, twice. Look at the request in the trace, and at the peer's log.",
  );
}
