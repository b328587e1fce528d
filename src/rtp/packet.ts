import { assert } from "../environment/index.ts";

/** The fields of an RTP header that vary (RFC 3550 §5.1); numbers are unsigned. */
export interface RtpHeader {
  readonly marker: boolean;
  /** 0–127. */
  readonly payloadType: number;
  /** 16 bits. */
  readonly sequenceNumber: number;
  /** 32 bits, in ticks of the payload type's clock rate. */
  readonly timestamp: number;
  /** 32 bits. */
  readonly ssrc: number;
}

/** A decoded RTP packet. CSRCs, header extension and padding are checked and left out. */
export interface RtpPacket extends RtpHeader {
  readonly kind: "rtp";
  /** A view into the datagram: valid only as long as that is. */
  readonly payload: Uint8Array;
}

/** A datagram that is not an RTP packet, with the reason as a sentence. */
export interface MalformedPacket {
  readonly kind: "malformed";
  readonly reason: string;
}

/** Bytes of an RTP header without CSRCs and extension (RFC 3550 §5.1). */
export const RTP_HEADER_BYTES = 12;

const RTP_VERSION = 2;

/**
 * Reads one RTP packet (RFC 3550 §5.1). It never throws: what breaks the format comes back as
 * `MalformedPacket`.
 */
export function decodeRtp(data: Uint8Array): RtpPacket | MalformedPacket {
  if (data.length < RTP_HEADER_BYTES) return malformed("It is shorter than an RTP header.");
  const flags = data[0] as number;
  if (flags >> 6 !== RTP_VERSION) return malformed("It is not of RTP version 2.");

  const begin = payloadBegin(data, flags);
  if (begin > data.length) return malformed("It ends within its CSRC list or header extension.");
  const end = payloadEnd(data, flags, begin);
  if (end < begin) return malformed("Its padding length is zero or exceeds the packet.");

  const second = data[1] as number;
  return {
    kind: "rtp",
    marker: (second & 0x80) !== 0,
    payloadType: second & 0x7f,
    sequenceNumber: readUint16(data, 2),
    timestamp: readUint32(data, 4),
    ssrc: readUint32(data, 8),
    payload: data.subarray(begin, end),
  };
}

/**
 * Writes one RTP packet without CSRCs, extension and padding into `output`, which must hold
 * `RTP_HEADER_BYTES` + payload bytes.
 *
 * @returns the bytes written.
 */
export function encodeRtp(header: RtpHeader, payload: Uint8Array, output: Uint8Array): number {
  const packetBytes = RTP_HEADER_BYTES + payload.length;
  assert(output.length >= packetBytes, "the output holds the header and the payload");
  output[0] = RTP_VERSION << 6;
  output[1] = (header.marker ? 0x80 : 0) | (header.payloadType & 0x7f);
  output[2] = header.sequenceNumber >>> 8;
  output[3] = header.sequenceNumber;
  writeUint32(output, 4, header.timestamp);
  writeUint32(output, 8, header.ssrc);
  output.set(payload, RTP_HEADER_BYTES);
  return packetBytes;
}

/**
 * Tells RTCP from RTP where both share one port (RFC 5761 §4): an RTCP packet type of 192–223
 * stands where RTP has its marker bit and payload type (64–95, which RTP then must not use).
 */
export function isRtcp(data: Uint8Array): boolean {
  if (data.length < 2 || (data[0] as number) >> 6 !== RTP_VERSION) return false;
  const packetType = data[1] as number;
  return packetType >= 192 && packetType <= 223;
}

/** Where the payload begins; beyond the data if CSRCs or extension are cut short. */
function payloadBegin(data: Uint8Array, flags: number): number {
  const csrcEnd = RTP_HEADER_BYTES + (flags & 0x0f) * 4;
  if ((flags & 0x10) === 0) return csrcEnd;
  // RFC 3550 §5.3.1: 16 bits defined by the profile, then the count of 32-bit words that follow.
  if (csrcEnd + 4 > data.length) return data.length + 1;
  return csrcEnd + 4 + readUint16(data, csrcEnd + 2) * 4;
}

/** Where the payload ends; before `begin` if the padding's length cannot be right. */
function payloadEnd(data: Uint8Array, flags: number, begin: number): number {
  if ((flags & 0x20) === 0) return data.length;
  // RFC 3550 §5.1: the last octet counts the padding octets, itself among them.
  const paddingBytes = data.length > begin ? (data[data.length - 1] as number) : 0;
  return paddingBytes === 0 ? begin - 1 : data.length - paddingBytes;
}

function malformed(reason: string): MalformedPacket {
  return { kind: "malformed", reason };
}

function readUint16(data: Uint8Array, offset: number): number {
  return ((data[offset] as number) << 8) | (data[offset + 1] as number);
}

function readUint32(data: Uint8Array, offset: number): number {
  return readUint16(data, offset) * 0x10000 + readUint16(data, offset + 2);
}

function writeUint32(output: Uint8Array, offset: number, value: number): void {
  output[offset] = value >>> 24;
  output[offset + 1] = value >>> 16;
  output[offset + 2] = value >>> 8;
  output[offset + 3] = value;
}
