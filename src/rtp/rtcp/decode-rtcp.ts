import type { MalformedPacket } from "../packet.ts";
import { readInt24, readUint16, readUint32 } from "./bytes.ts";
import { readXrBlocks } from "./extended-report.ts";
import { type ReportBlock, RTCP_TYPE, type RtcpPacket } from "./rtcp-packet.ts";
import { readSdesChunks, readText } from "./source-description.ts";

/** Bytes of the header that all RTCP packets share. */
const HEADER_BYTES = 4;
const REPORT_BLOCK_BYTES = 24;
/** Sender's SSRC and sender info of an SR. */
const SENDER_INFO_BYTES = 24;

/** The types that a compound may begin with: what RFC 3550, 3611 and 4585 define. */
const FIRST_TYPE_MIN = 200;
const FIRST_TYPE_MAX = 207;

/**
 * Reads a compound packet (RFC 3550 §6.1, checks of A.2). It never throws.
 *
 * Where a packet within the compound is malformed, those before it are good; the malformed one is
 * the last element and tells why. Reduced-size packets (RFC 5506), which begin with something else
 * than SR or RR, are read too. Profile-specific extensions of SR and RR are left out.
 *
 * @returns the packets in their order, or `MalformedPacket` where not even the first is good.
 */
export function decodeRtcp(data: Uint8Array): (RtcpPacket | MalformedPacket)[] | MalformedPacket {
  const packets: (RtcpPacket | MalformedPacket)[] = [];
  let offset = 0;
  do {
    const fault = headerFault(data, offset);
    if (fault !== undefined) return ended(packets, fault);
    const end = offset + packetBytes(data, offset);
    const packet = readPacket(data, offset, end);
    if (typeof packet === "string") return ended(packets, packet);
    packets.push(packet);
    offset = end;
  } while (offset < data.length);
  return packets;
}

function ended(
  packets: (RtcpPacket | MalformedPacket)[],
  reason: string,
): (RtcpPacket | MalformedPacket)[] | MalformedPacket {
  const malformed: MalformedPacket = { kind: "malformed", reason };
  return packets.length === 0 ? malformed : [...packets, malformed];
}

/** What is wrong with the header at `offset` (RFC 3550 A.2). */
function headerFault(data: Uint8Array, offset: number): string | undefined {
  if (offset + HEADER_BYTES > data.length) return "It is shorter than an RTCP header.";
  const flags = data[offset] as number;
  const packetType = data[offset + 1] as number;
  if (flags >> 6 !== 2) return "It is not of RTP version 2.";
  if (offset === 0 && (packetType < FIRST_TYPE_MIN || packetType > FIRST_TYPE_MAX)) {
    return "It does not begin with a packet type of RTCP.";
  }
  const end = offset + packetBytes(data, offset);
  if (end > data.length) return "A packet's length exceeds the datagram.";
  if ((flags & 0x20) !== 0 && end < data.length) return "A packet before the last is padded.";
  return undefined;
}

function packetBytes(data: Uint8Array, offset: number): number {
  return (readUint16(data, offset + 2) + 1) * 4;
}

/** Reads the packet from `offset` to `end`; a string says why it cannot be read. */
function readPacket(data: Uint8Array, offset: number, end: number): RtcpPacket | string {
  const flags = data[offset] as number;
  const count = flags & 0x1f;
  const packetType = data[offset + 1] as number;
  const paddingBytes = (flags & 0x20) === 0 ? 0 : (data[end - 1] as number);
  const isPaddingGood = (flags & 0x20) === 0 || (paddingBytes > 0 && paddingBytes % 4 === 0);
  const payloadEnd = end - paddingBytes;
  if (!isPaddingGood || payloadEnd < offset + HEADER_BYTES) {
    return "Its padding length is not a multiple of four or exceeds the packet.";
  }
  const payload = data.subarray(offset + HEADER_BYTES, payloadEnd);
  switch (packetType) {
    case RTCP_TYPE.senderReport:
      return readSenderReport(payload, count);
    case RTCP_TYPE.receiverReport:
      return readReceiverReport(payload, count);
    case RTCP_TYPE.sourceDescription:
      return readSourceDescription(payload, count);
    case RTCP_TYPE.bye:
      return readBye(payload, count);
    case RTCP_TYPE.application:
      return readApplication(payload, count);
    case RTCP_TYPE.extendedReport:
      return readExtendedReport(payload);
    default:
      return { kind: "unknown", packetType, count, payload };
  }
}

function readSenderReport(payload: Uint8Array, count: number): RtcpPacket | string {
  if (payload.length < SENDER_INFO_BYTES + count * REPORT_BLOCK_BYTES) {
    return "A sender report is shorter than its report count says.";
  }
  return {
    kind: "senderReport",
    ssrc: readUint32(payload, 0),
    ntp: { seconds: readUint32(payload, 4), fraction: readUint32(payload, 8) },
    rtpTimestamp: readUint32(payload, 12),
    packetCount: readUint32(payload, 16),
    octetCount: readUint32(payload, 20),
    blocks: readBlocks(payload, SENDER_INFO_BYTES, count),
  };
}

function readReceiverReport(payload: Uint8Array, count: number): RtcpPacket | string {
  if (payload.length < 4 + count * REPORT_BLOCK_BYTES) {
    return "A receiver report is shorter than its report count says.";
  }
  return {
    kind: "receiverReport",
    ssrc: readUint32(payload, 0),
    blocks: readBlocks(payload, 4, count),
  };
}

function readBlocks(payload: Uint8Array, begin: number, count: number): ReportBlock[] {
  const blocks: ReportBlock[] = [];
  for (let index = 0; index < count; index += 1) {
    const offset = begin + index * REPORT_BLOCK_BYTES;
    blocks.push({
      ssrc: readUint32(payload, offset),
      fractionLost: (payload[offset + 4] as number) / 256,
      cumulativeLost: readInt24(payload, offset + 5),
      extendedHighestSequenceNumber: readUint32(payload, offset + 8),
      jitterTicks: readUint32(payload, offset + 12),
      lastSenderReport: readUint32(payload, offset + 16),
      delaySinceLastSenderReport: readUint32(payload, offset + 20),
    });
  }
  return blocks;
}

function readSourceDescription(payload: Uint8Array, count: number): RtcpPacket | string {
  const chunks = readSdesChunks(payload, count);
  return typeof chunks === "string" ? chunks : { kind: "sourceDescription", chunks };
}

function readBye(payload: Uint8Array, count: number): RtcpPacket | string {
  const sourcesEnd = count * 4;
  if (payload.length < sourcesEnd) return "A BYE is shorter than its source count says.";
  const ssrcs: number[] = [];
  for (let offset = 0; offset < sourcesEnd; offset += 4) ssrcs.push(readUint32(payload, offset));
  if (payload.length === sourcesEnd) return { kind: "bye", ssrcs };
  const reasonBytes = payload[sourcesEnd] as number;
  const reasonEnd = sourcesEnd + 1 + reasonBytes;
  if (reasonEnd > payload.length) return "The reason of a BYE exceeds its packet.";
  const reason = readText(payload, sourcesEnd + 1, reasonEnd);
  return { kind: "bye", ssrcs, reason };
}

function readApplication(payload: Uint8Array, subtype: number): RtcpPacket | string {
  if (payload.length < 8) return "An APP packet is shorter than its name.";
  return {
    kind: "application",
    subtype,
    ssrc: readUint32(payload, 0),
    name: String.fromCharCode(...payload.subarray(4, 8)),
    payload: payload.subarray(8),
  };
}

function readExtendedReport(payload: Uint8Array): RtcpPacket | string {
  if (payload.length < 4) return "An XR packet is shorter than its SSRC.";
  const blocks = readXrBlocks(payload.subarray(4));
  if (typeof blocks === "string") return blocks;
  return { kind: "extendedReport", ssrc: readUint32(payload, 0), blocks };
}
