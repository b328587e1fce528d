/**
 * RTCP: wire format (RFC 3550 §6, RFC 3611) and one end of a two-party session.
 */
export { randomCname } from "./cname.ts";
export { decodeRtcp } from "./decode-rtcp.ts";
export { encodeRtcp } from "./encode-rtcp.ts";
export type { RoundTripStatistics } from "./round-trips.ts";
export type {
  RtcpByeEvent,
  RtcpCollisionEvent,
  RtcpDescriptionEvent,
  RtcpEvent,
  RtcpMalformedEvent,
  RtcpReportEvent,
  RtcpRoundTripEvent,
  RtcpSenderInfoEvent,
  RtcpVoipMetricsEvent,
} from "./rtcp-event.ts";
export type {
  Application,
  Bye,
  DelaySinceLastRr,
  DlrrReport,
  ExtendedReport,
  NtpTimestamp,
  ReceiverReferenceTime,
  ReceiverReport,
  ReportBlock,
  RtcpPacket,
  SdesChunk,
  SdesItem,
  SenderReport,
  SourceDescription,
  UnknownRtcpPacket,
  UnknownXrBlock,
  VoipMetricsBlock,
  XrBlock,
} from "./rtcp-packet.ts";
export {
  type RtcpCounts,
  RtcpSession,
  type RtcpSessionOptions,
  type RtcpSources,
} from "./rtcp-session.ts";
export type { SentSource } from "./sent-stream.ts";
export type { JitterBufferKind, PacketLossConcealment, VoipMetrics } from "./voip-metrics.ts";
