import type { Instant } from "../environment/index.ts";

/** One SIP message as it crossed our socket, malformed ones and retransmissions included. */
export interface SipTrace {
  readonly at: Instant;
  readonly direction: "sent" | "received";
  readonly transport: string;
  /** "192.0.2.1:5060" */
  readonly local: string;
  readonly remote: string;
  /** "INVITE sip:bot@192.0.2.1 SIP/2.0" or "SIP/2.0 200 OK". */
  readonly startLine: string;
  /** The request's method; of a response, its CSeq's. Empty where unreadable. */
  readonly method: string;
  readonly statusCode?: number;
  /** 0 where unreadable. */
  readonly cseq: number;
  readonly callId: string;
  /** The whole message, credentials masked. */
  readonly text: string;
  /** Byte for byte the same as an earlier message in the same direction. */
  readonly retransmission: boolean;
  /** The datagram; where something had to be masked, masked as `text` is. */
  readonly bytes: Uint8Array;
}
