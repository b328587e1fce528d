import type { Instant } from "../environment/index.ts";

/** A text that a peer sent with MESSAGE (RFC 3428). */
export interface ReceivedMessage {
  readonly text: string;
  /** The URI in its From header: who says to have sent it. */
  readonly from: string;
  readonly callId: string;
  readonly at: Instant;
}

/** Takes the texts of a peer; each was answered 200 already. */
export type MessageListener = (message: ReceivedMessage) => void;

/** What became of a text of ours. */
export interface MessageAnswer {
  readonly statusCode: number;
  /** When the request left the socket. */
  readonly sentAt: Instant;
}

/** The media type that texts are sent, and taken, as. */
export const TEXT_TYPE = "text/plain";
