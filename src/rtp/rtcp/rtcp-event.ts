import type { VoipMetrics } from "./voip-metrics.ts";

/** What a compound packet of the peer says. */
export type RtcpEvent =
  | RtcpReportEvent
  | RtcpSenderInfoEvent
  | RtcpRoundTripEvent
  | RtcpVoipMetricsEvent
  | RtcpDescriptionEvent
  | RtcpByeEvent
  | RtcpCollisionEvent
  | RtcpMalformedEvent;

/** How our stream arrives at the peer. */
export interface RtcpReportEvent {
  readonly kind: "report";
  /** SR: the peer sends RTP itself. */
  readonly report: "SR" | "RR";
  /** Who reports. */
  readonly ssrc: number;
  /** Since its previous report, 0–1. */
  readonly fractionLost: number;
  /** Since the beginning; negative where duplicates outweigh. */
  readonly cumulativeLost: number;
  readonly jitterMs: number;
  readonly extendedHighestSequenceNumber: number;
  /** Measured with this report; absent where it answers no SR that we remember. */
  readonly rttMs?: number;
}

/** What the peer says that it sent. */
export interface RtcpSenderInfoEvent {
  readonly kind: "senderInfo";
  readonly ssrc: number;
  readonly packetCount: number;
  readonly octetCount: number;
  readonly rtpTimestamp: number;
}

/** A round trip measured with an answer to our receiver reference time (RFC 3611 §4.5). */
export interface RtcpRoundTripEvent {
  readonly kind: "roundTrip";
  readonly ssrc: number;
  readonly rttMs: number;
}

/** How our stream sounds at the peer, as the peer claims. */
export interface RtcpVoipMetricsEvent {
  readonly kind: "voipMetrics";
  /** Who reports. */
  readonly ssrc: number;
  readonly metrics: VoipMetrics;
}

/** The peer's canonical name; only when it is new. */
export interface RtcpDescriptionEvent {
  readonly kind: "description";
  readonly ssrc: number;
  readonly cname: string;
}

/** Sources that have ended. */
export interface RtcpByeEvent {
  readonly kind: "bye";
  readonly ssrcs: readonly number[];
  readonly reason?: string;
}

/** A compound that came from our own SSRC (RFC 3550 §8.2); nothing else of it is used. */
export interface RtcpCollisionEvent {
  readonly kind: "ssrcCollision";
  readonly ssrc: number;
  /** It has our CNAME too: somebody sends our own packets back. */
  readonly isEcho: boolean;
}

/** The compound, or the rest of it, could not be read. */
export interface RtcpMalformedEvent {
  readonly kind: "malformed";
  readonly reason: string;
}
