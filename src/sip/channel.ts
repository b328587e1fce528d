import type { Instant, SidetoneError, SocketAddress } from "../environment/index.ts";
import type { MessagePeek } from "./message-peek.ts";
import type { LocalIdentity } from "./message-stamp.ts";
import type { SipTransport } from "./transport-name.ts";

/** A message on its way out, as sip.js wrote it. */
export interface OutgoingMessage {
  readonly peek: MessagePeek;
  readonly text: string;
  /** Of a response: whether its request was for a sips: URI. */
  readonly isSecure?: boolean;
}

/** A socket or a connection that carries messages. */
export interface Channel {
  readonly id: number;
  readonly transport: SipTransport;
  /** What messages say of it. */
  readonly identity: LocalIdentity;
  readonly local: SocketAddress;
}

/** A message that crossed a channel. */
export interface Crossing {
  readonly channel: Channel;
  readonly remote: SocketAddress;
  readonly peek: MessagePeek;
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly at: Instant;
}

/** Where channels report. */
export interface ChannelEvents {
  /** Asked before a message leaves: `put` lets it go, at once, later, altered, again or never. */
  onSending(peek: MessagePeek, text: string, put: (peek: MessagePeek, text: string) => void): void;
  onSent(crossing: Crossing): void;
  /** @param settle is called when the message is really taken: what it answers is answered. */
  onReceived(crossing: Crossing, settle: () => void): void;
  /** The message as it is to leave by this channel. */
  stamped(message: OutgoingMessage, channel: Channel): string;
}

/** Told when a message could not be sent, or not be answered on the way by which it went. */
export type SendFailure = (error: SidetoneError) => void;
