import { type ByteWriter, readUint16 } from "./bytes.ts";

/**
 * The figures of a VoIP Metrics block (RFC 3611 §4.7), about one received stream.
 *
 * Where the RFC has a value for "unavailable" (127), the field is `undefined`, so that nobody takes
 * it for a figure. Ratios are of 0–1, and on the wire in steps of 1/256 (255/256 is the most).
 */
export interface VoipMetrics {
  /** Packets lost by the network, of those expected. */
  readonly lossRate: number;
  /** Packets that the jitter buffer threw away: late, early, of those expected. */
  readonly discardRate: number;
  /** Lost or discarded packets, of those within bursts. */
  readonly burstDensity: number;
  /** Lost or discarded packets, of those within gaps. */
  readonly gapDensity: number;
  /** The mean length of a burst. */
  readonly burstDurationMs: number;
  /** The mean length of a gap. */
  readonly gapDurationMs: number;
  /** Between the RTP interfaces; 0 where it is not known yet. */
  readonly roundTripDelayMs: number;
  /** Of the reporting end: receive buffer, decoder, encoder, as far as it knows; 0 if unknown. */
  readonly endSystemDelayMs: number;
  /** Of the received speech, -127 to 126. */
  readonly signalLevelDbm0: number | undefined;
  /** Of the received pauses, -127 to 126. */
  readonly noiseLevelDbm0: number | undefined;
  /** RERL. */
  readonly residualEchoReturnLossDb: number | undefined;
  /** Packets in a row that must come for a burst to be over; 16 is recommended. */
  readonly gmin: number;
  /** Transmission rating (ITU-T G.107), 0–100. */
  readonly rFactor: number | undefined;
  /** The same of a further network segment behind the reporting end. */
  readonly externalRFactor: number | undefined;
  /** Mean opinion score for listening quality, 1.0–5.0 in steps of 0.1. */
  readonly mosLq: number | undefined;
  /** Mean opinion score for conversational quality, 1.0–5.0 in steps of 0.1. */
  readonly mosCq: number | undefined;
  readonly packetLossConcealment: PacketLossConcealment;
  readonly jitterBuffer: JitterBufferKind;
  /** How fast the buffer adapts: it adjusts to a step of its delay in 2 × this number of frames. */
  readonly jitterBufferRate: number;
  /** The delay that a packet sees which came with the least delay. */
  readonly jitterBufferNominalMs: number;
  /** The delay that a packet sees which came just in time. */
  readonly jitterBufferMaximumMs: number;
  /** The greatest delay that the buffer can reach. */
  readonly jitterBufferAbsoluteMaximumMs: number;
}

/** RFC 3611 §4.7.6, in the order of the codes. "disabled": silence is inserted. */
export type PacketLossConcealment = "unspecified" | "disabled" | "enhanced" | "standard";

/** RFC 3611 §4.7.6, in the order of the codes. */
export type JitterBufferKind = "unknown" | "reserved" | "nonAdaptive" | "adaptive";

/** Bytes of the block after its header and the SSRC. */
export const VOIP_METRICS_BYTES = 28;

const CONCEALMENTS: readonly PacketLossConcealment[] = [
  "unspecified",
  "disabled",
  "enhanced",
  "standard",
];
const JITTER_BUFFERS: readonly JitterBufferKind[] = [
  "unknown",
  "reserved",
  "nonAdaptive",
  "adaptive",
];
const UNAVAILABLE = 127;

/** Reads the figures from `VOIP_METRICS_BYTES` at `offset`, which the data must hold. */
export function readVoipMetrics(data: Uint8Array, offset: number): VoipMetrics {
  const octet = (index: number): number => data[offset + index] as number;
  const configuration = octet(20);
  return {
    lossRate: octet(0) / 256,
    discardRate: octet(1) / 256,
    burstDensity: octet(2) / 256,
    gapDensity: octet(3) / 256,
    burstDurationMs: readUint16(data, offset + 4),
    gapDurationMs: readUint16(data, offset + 6),
    roundTripDelayMs: readUint16(data, offset + 8),
    endSystemDelayMs: readUint16(data, offset + 10),
    signalLevelDbm0: available(signed(octet(12))),
    noiseLevelDbm0: available(signed(octet(13))),
    residualEchoReturnLossDb: available(octet(14)),
    gmin: octet(15),
    rFactor: available(octet(16)),
    externalRFactor: available(octet(17)),
    mosLq: tenths(available(octet(18))),
    mosCq: tenths(available(octet(19))),
    packetLossConcealment: CONCEALMENTS[configuration >> 6] ?? "unspecified",
    jitterBuffer: JITTER_BUFFERS[(configuration >> 4) & 3] ?? "unknown",
    jitterBufferRate: configuration & 0x0f,
    jitterBufferNominalMs: readUint16(data, offset + 22),
    jitterBufferMaximumMs: readUint16(data, offset + 24),
    jitterBufferAbsoluteMaximumMs: readUint16(data, offset + 26),
  };
}

/** Writes `VOIP_METRICS_BYTES`; figures beyond their field's range become its limit. */
export function writeVoipMetrics(metrics: VoipMetrics, writer: ByteWriter): void {
  writer.uint8(ratioOctet(metrics.lossRate));
  writer.uint8(ratioOctet(metrics.discardRate));
  writer.uint8(ratioOctet(metrics.burstDensity));
  writer.uint8(ratioOctet(metrics.gapDensity));
  writer.uint16(milliseconds(metrics.burstDurationMs));
  writer.uint16(milliseconds(metrics.gapDurationMs));
  writer.uint16(milliseconds(metrics.roundTripDelayMs));
  writer.uint16(milliseconds(metrics.endSystemDelayMs));
  writer.uint8(octetOr(metrics.signalLevelDbm0, -127, 126));
  writer.uint8(octetOr(metrics.noiseLevelDbm0, -127, 126));
  writer.uint8(octetOr(metrics.residualEchoReturnLossDb, 0, 126));
  writer.uint8(within(metrics.gmin, 1, 255));
  writer.uint8(octetOr(metrics.rFactor, 0, 100));
  writer.uint8(octetOr(metrics.externalRFactor, 0, 100));
  writer.uint8(mosOctet(metrics.mosLq));
  writer.uint8(mosOctet(metrics.mosCq));
  writer.uint8(configurationOctet(metrics));
  writer.uint8(0);
  writer.uint16(milliseconds(metrics.jitterBufferNominalMs));
  writer.uint16(milliseconds(metrics.jitterBufferMaximumMs));
  writer.uint16(milliseconds(metrics.jitterBufferAbsoluteMaximumMs));
}

/** A ratio of 0–1 as the integer part of its 256-fold, 255 at most (RFC 3611 §4.7.1). */
export function ratioOctet(ratio: number): number {
  return within(Math.floor(ratio * 256), 0, 255);
}

function configurationOctet(metrics: VoipMetrics): number {
  return (
    (CONCEALMENTS.indexOf(metrics.packetLossConcealment) << 6) |
    (JITTER_BUFFERS.indexOf(metrics.jitterBuffer) << 4) |
    within(Math.round(metrics.jitterBufferRate), 0, 15)
  );
}

function signed(octet: number): number {
  return (octet << 24) >> 24;
}

function available(value: number): number | undefined {
  return value === UNAVAILABLE ? undefined : value;
}

function tenths(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value / 10;
}

function octetOr(value: number | undefined, least: number, most: number): number {
  return value === undefined ? UNAVAILABLE : within(Math.round(value), least, most);
}

function mosOctet(mos: number | undefined): number {
  return octetOr(mos === undefined ? undefined : mos * 10, 10, 50);
}

function milliseconds(value: number): number {
  return within(Math.round(value), 0, 0xffff);
}

/** The nearest value within the limits; the least for what is no number. */
function within(value: number, least: number, most: number): number {
  return value >= least ? Math.min(value, most) : least;
}
