/**
 * RTP: wire format, reception statistics, the two ways to put received audio in order (for playout
 * and for the AI), and telephone events. It knows no codec, no socket and no clock.
 */
export {
  DigitReceiver,
  type DigitReceiverOptions,
  type ReceivedDigit,
} from "./digit-receiver.ts";
export { type DigitPacket, DigitSender, type DigitSenderOptions } from "./digit-sender.ts";
export {
  IngressOrderer,
  type IngressOrdererCounts,
  type IngressOrdererOptions,
} from "./ingress-orderer.ts";
export {
  JitterBuffer,
  type JitterBufferCounts,
  type JitterBufferOptions,
  type PlayoutFrame,
} from "./jitter-buffer.ts";
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
export {
  type ReceptionReport,
  ReceptionStatistics,
  type ReceptionStatisticsOptions,
} from "./reception-statistics.ts";
export { sequenceDistance, timestampDistance } from "./sequence.ts";
export { decodeTelephoneEvent, isDigit, type TelephoneEvent } from "./telephone-event.ts";
