/**
 * RTP: wire format, reception statistics, the two ways to put received audio in order (for playout
 * and for the AI), and telephone events. It knows no codec, no socket and no clock.
 */

export { BURST_GMIN, type BurstMetrics, BurstStatistics } from "./burst-statistics.ts";
export { type DatagramKind, datagramKind } from "./datagram-kind.ts";
export {
  DigitReceiver,
  type DigitReceiverOptions,
  type ReceivedDigit,
} from "./digit-receiver.ts";
export {
  type DigitFormat,
  type DigitPacket,
  DigitSender,
  type DigitSenderOptions,
} from "./digit-sender.ts";
export {
  IngressOrderer,
  type IngressOrdererCounts,
  type IngressOrdererOptions,
} from "./ingress-orderer.ts";
export { JitterBuffer, type JitterBufferOptions } from "./jitter-buffer.ts";
export type { JitterBufferCounts, WaitStatistics } from "./jitter-buffer-counts.ts";
export type { IngressOutput } from "./output-queue.ts";
export {
  decodeRtp,
  encodeRtp,
  isRtcp,
  type MalformedPacket,
  RTP_HEADER_BYTES,
  type RtpHeader,
  type RtpPacket,
} from "./packet.ts";
export type { LostPiece, PacketPiece, PlayoutPiece, SilencePiece } from "./playout-piece.ts";
export { type PlayoutDelay, startingDelayMs } from "./playout-point.ts";
export {
  type ReceptionReport,
  ReceptionStatistics,
  type ReceptionStatisticsOptions,
  type SourceReception,
} from "./reception-statistics.ts";
export * from "./rtcp/index.ts";
export { sequenceDistance, timestampDistance } from "./sequence.ts";
export { decodeTelephoneEvent, isDigit, type TelephoneEvent } from "./telephone-event.ts";
