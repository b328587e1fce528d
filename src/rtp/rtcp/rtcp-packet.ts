import type { VoipMetrics } from "./voip-metrics.ts";

/** Packet types (RFC 3550 §12.1, RFC 3611 §2). */
export const RTCP_TYPE = {
  senderReport: 200,
  receiverReport: 201,
  sourceDescription: 202,
  bye: 203,
  application: 204,
  extendedReport: 207,
} as const;

/** A time of the wall clock in the format of NTP (RFC 3550 §4): since 1900, both parts 32 bits. */
export interface NtpTimestamp {
  readonly seconds: number;
  /** In units of 2^-32 s. */
  readonly fraction: number;
}

/** What a receiver says about one source (RFC 3550 §6.4.1). */
export interface ReportBlock {
  /** The source that the block is about. */
  readonly ssrc: number;
  /** 0–1 in steps of 1/256: lost since the previous report. */
  readonly fractionLost: number;
  /** Signed 24 bits: duplicates make it negative. */
  readonly cumulativeLost: number;
  /** 16 bits of cycles, 16 bits of sequence number. */
  readonly extendedHighestSequenceNumber: number;
  /** Interarrival jitter, in ticks of the source's RTP clock. */
  readonly jitterTicks: number;
  /** The middle 32 bits of the NTP time of the source's last SR; 0 where none came. */
  readonly lastSenderReport: number;
  /** Since that SR came, in units of 1/65536 s; 0 where none came. */
  readonly delaySinceLastSenderReport: number;
}

/** SR (RFC 3550 §6.4.1). */
export interface SenderReport {
  readonly kind: "senderReport";
  readonly ssrc: number;
  readonly ntp: NtpTimestamp;
  /** The same instant in the RTP clock of the sender's stream. */
  readonly rtpTimestamp: number;
  readonly packetCount: number;
  readonly octetCount: number;
  /** 31 at most. */
  readonly blocks: readonly ReportBlock[];
}

/** RR (RFC 3550 §6.4.2). */
export interface ReceiverReport {
  readonly kind: "receiverReport";
  readonly ssrc: number;
  /** 31 at most. */
  readonly blocks: readonly ReportBlock[];
}

/** SDES item types (RFC 3550 §6.5) that have a use here. */
export const SDES_CNAME = 1;

/** One item of a source's description. */
export interface SdesItem {
  /** 1–255; 1 is CNAME. */
  readonly type: number;
  /** 255 octets of UTF-8 at most. */
  readonly text: string;
}

/** What is said about one source in an SDES packet. */
export interface SdesChunk {
  readonly ssrc: number;
  readonly items: readonly SdesItem[];
}

/** SDES (RFC 3550 §6.5). */
export interface SourceDescription {
  readonly kind: "sourceDescription";
  /** 31 at most. */
  readonly chunks: readonly SdesChunk[];
}

/** BYE (RFC 3550 §6.6). */
export interface Bye {
  readonly kind: "bye";
  /** 31 at most. */
  readonly ssrcs: readonly number[];
  /** 255 octets of UTF-8 at most. */
  readonly reason?: string;
}

/** APP (RFC 3550 §6.7). */
export interface Application {
  readonly kind: "application";
  /** 0–31. */
  readonly subtype: number;
  readonly ssrc: number;
  /** Four characters, one octet each. */
  readonly name: string;
  /** A multiple of four octets; a view into the datagram. */
  readonly payload: Uint8Array;
}

/** XR (RFC 3611 §2). */
export interface ExtendedReport {
  readonly kind: "extendedReport";
  readonly ssrc: number;
  readonly blocks: readonly XrBlock[];
}

/** A block of an XR packet; blocks of other types are listed as "unknown". */
export type XrBlock = ReceiverReferenceTime | DelaySinceLastRr | VoipMetricsBlock | UnknownXrBlock;

/** RRTR (RFC 3611 §4.4): lets those who send nothing measure their round trip. */
export interface ReceiverReferenceTime {
  readonly kind: "receiverReferenceTime";
  readonly ntp: NtpTimestamp;
}

/** DLRR (RFC 3611 §4.5): the answer to reference times. */
export interface DelaySinceLastRr {
  readonly kind: "delaySinceLastRr";
  readonly reports: readonly DlrrReport[];
}

/** When the last reference time of one receiver came. */
export interface DlrrReport {
  readonly ssrc: number;
  /** The middle 32 bits of its NTP time. */
  readonly lastReceiverReport: number;
  /** Since it came, in units of 1/65536 s. */
  readonly delaySinceLastReceiverReport: number;
}

/** RFC 3611 §4.7. */
export interface VoipMetricsBlock {
  readonly kind: "voipMetrics";
  /** The source that the figures are about. */
  readonly ssrc: number;
  readonly metrics: VoipMetrics;
}

/** A block of a type that is not read, e.g. Loss RLE or a vendor's. */
export interface UnknownXrBlock {
  readonly kind: "unknown";
  readonly blockType: number;
  readonly typeSpecific: number;
  /** A multiple of four octets; a view into the datagram. */
  readonly payload: Uint8Array;
}

/** A packet of a type that is not read, e.g. transport-layer feedback (RFC 4585). */
export interface UnknownRtcpPacket {
  readonly kind: "unknown";
  readonly packetType: number;
  /** The five bits that other types use as their count. */
  readonly count: number;
  /** What follows the four octets of the header; a view into the datagram. */
  readonly payload: Uint8Array;
}

/** One packet of a compound. */
export type RtcpPacket =
  | SenderReport
  | ReceiverReport
  | SourceDescription
  | Bye
  | Application
  | ExtendedReport
  | UnknownRtcpPacket;
