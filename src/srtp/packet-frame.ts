/**
 * Where a packet's parts lie and what makes its keystream unique. Senders and receivers reuse one
 * object, so that no packet allocates one.
 */
export interface PacketFrame {
  /** Of the source; for RTCP of the first packet's sender. */
  ssrc: number;
  /** 48 bits for RTP, 31 for RTCP. */
  index: number;
  /** Authenticated beside the packet: the rollover count for RTP, E bit and index for RTCP. */
  word: number;
  /** The body is encrypted; what precedes it is sent in the clear. */
  bodyStart: number;
  bodyEnd: number;
}

/** A frame to be filled in. */
export function emptyFrame(): PacketFrame {
  return { ssrc: 0, index: 0, word: 0, bodyStart: 0, bodyEnd: 0 };
}

const VERSION = 2;
const RTP_HEADER_BYTES = 12;
/** Header and SSRC of the first packet: what RTCP leaves in the clear (RFC 3711 §3.4). */
export const RTCP_CLEAR_BYTES = 8;
/** The E bit and the index behind the body of RTCP. */
export const RTCP_WORD_BYTES = 4;
const SEQUENCE_SPAN = 0x1_0000;

/**
 * Fills in what the header of an RTP packet says, its CSRC list and extension included; false where
 * `data` up to `end` is no RTP packet. The index is the caller's business.
 */
export function readRtpFrame(data: Uint8Array, end: number, frame: PacketFrame): boolean {
  if (end < RTP_HEADER_BYTES || (data[0] as number) >>> 6 !== VERSION) return false;
  const first = data[0] as number;
  let bodyStart = RTP_HEADER_BYTES + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    if (bodyStart + 4 > end) return false;
    bodyStart += 4 + uint16At(data, bodyStart + 2) * 4;
  }
  if (bodyStart > end) return false;
  frame.ssrc = uint32At(data, 8);
  frame.bodyStart = bodyStart;
  frame.bodyEnd = end;
  return true;
}

/** The sequence number of what `readRtpFrame` has taken for RTP. */
export function sequenceOf(data: Uint8Array): number {
  return uint16At(data, 2);
}

/** Sets the index of an RTP packet, and with it the rollover count. */
export function setRtpIndex(frame: PacketFrame, index: number): void {
  frame.index = index;
  frame.word = Math.floor(index / SEQUENCE_SPAN);
}

/** As `readRtpFrame`, for a compound RTCP packet; its index is the caller's business again. */
export function readRtcpFrame(data: Uint8Array, end: number, frame: PacketFrame): boolean {
  if (end < RTCP_CLEAR_BYTES || (data[0] as number) >>> 6 !== VERSION) return false;
  frame.ssrc = uint32At(data, 4);
  frame.bodyStart = RTCP_CLEAR_BYTES;
  frame.bodyEnd = end;
  return true;
}

/** Big-endian, unsigned. */
export function uint32At(data: Uint8Array, offset: number): number {
  return uint16At(data, offset) * SEQUENCE_SPAN + uint16At(data, offset + 2);
}

/** Big-endian. */
export function writeUint32(output: Uint8Array, offset: number, value: number): void {
  output[offset] = value >>> 24;
  output[offset + 1] = value >>> 16;
  output[offset + 2] = value >>> 8;
  output[offset + 3] = value;
}

function uint16At(data: Uint8Array, offset: number): number {
  return ((data[offset] as number) << 8) | (data[offset + 1] as number);
}
