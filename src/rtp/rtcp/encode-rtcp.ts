import { assert } from "../../environment/index.ts";
import { ByteWriter } from "./bytes.ts";
import { writeXrBlock } from "./extended-report.ts";
import {
  type Application,
  type Bye,
  type ReportBlock,
  RTCP_TYPE,
  type RtcpPacket,
  type SenderReport,
} from "./rtcp-packet.ts";
import { writeSdesChunk, writeText } from "./source-description.ts";
import { ratioOctet } from "./voip-metrics.ts";

/** The count of blocks, chunks and sources has five bits. */
const COUNT_MAX = 31;
const CUMULATIVE_LOST_MAX = 0x7f_ffff;
const CUMULATIVE_LOST_MIN = -0x80_0000;
const UINT32_MAX = 0xffff_ffff;

/**
 * Writes a compound packet (RFC 3550 §6.1) without padding into `output`, which must hold it.
 * What a compound must contain, and in which order, is the caller's business.
 *
 * @returns the bytes written.
 */
export function encodeRtcp(packets: readonly RtcpPacket[], output: Uint8Array): number {
  const writer = new ByteWriter(output);
  for (const packet of packets) writePacket(packet, writer);
  return writer.offset;
}

function writePacket(packet: RtcpPacket, writer: ByteWriter): void {
  const begin = writer.offset;
  const count = countOf(packet);
  assert(count <= COUNT_MAX, "an RTCP packet holds 31 blocks, chunks or sources at most");
  writer.uint8(0x80 | count);
  writer.uint8(packet.kind === "unknown" ? packet.packetType : RTCP_TYPE[packet.kind]);
  writer.uint16(0);
  writePayload(packet, writer);
  const packetBytes = writer.offset - begin;
  assert(packetBytes % 4 === 0, "the payloads of RTCP packets are whole words");
  writer.patchUint16(begin + 2, packetBytes / 4 - 1);
}

function countOf(packet: RtcpPacket): number {
  switch (packet.kind) {
    case "senderReport":
    case "receiverReport":
      return packet.blocks.length;
    case "sourceDescription":
      return packet.chunks.length;
    case "bye":
      return packet.ssrcs.length;
    case "application":
      return packet.subtype;
    case "unknown":
      return packet.count;
    case "extendedReport":
    default:
      return 0;
  }
}

function writePayload(packet: RtcpPacket, writer: ByteWriter): void {
  switch (packet.kind) {
    case "senderReport":
      return writeSenderReport(packet, writer);
    case "receiverReport":
      writer.uint32(packet.ssrc);
      return writeBlocks(packet.blocks, writer);
    case "sourceDescription":
      for (const chunk of packet.chunks) writeSdesChunk(chunk, writer);
      return;
    case "bye":
      return writeBye(packet, writer);
    case "application":
      return writeApplication(packet, writer);
    case "extendedReport":
      writer.uint32(packet.ssrc);
      for (const block of packet.blocks) writeXrBlock(block, writer);
      return;
    case "unknown":
      writer.bytes(packet.payload);
  }
}

function writeSenderReport(packet: SenderReport, writer: ByteWriter): void {
  writer.uint32(packet.ssrc);
  writer.uint32(packet.ntp.seconds);
  writer.uint32(packet.ntp.fraction);
  writer.uint32(packet.rtpTimestamp);
  writer.uint32(packet.packetCount);
  writer.uint32(packet.octetCount);
  writeBlocks(packet.blocks, writer);
}

function writeBye(packet: Bye, writer: ByteWriter): void {
  for (const ssrc of packet.ssrcs) writer.uint32(ssrc);
  if (packet.reason !== undefined) writeText(packet.reason, writer);
  writer.alignToWord();
}

function writeApplication(packet: Application, writer: ByteWriter): void {
  writer.uint32(packet.ssrc);
  for (let index = 0; index < 4; index += 1) writer.uint8(packet.name.charCodeAt(index));
  writer.bytes(packet.payload);
}

function writeBlocks(blocks: readonly ReportBlock[], writer: ByteWriter): void {
  for (const block of blocks) {
    writer.uint32(block.ssrc);
    writer.uint8(ratioOctet(block.fractionLost));
    writer.uint24(
      Math.max(CUMULATIVE_LOST_MIN, Math.min(CUMULATIVE_LOST_MAX, block.cumulativeLost)),
    );
    writer.uint32(block.extendedHighestSequenceNumber);
    writer.uint32(Math.min(Math.round(block.jitterTicks), UINT32_MAX));
    writer.uint32(block.lastSenderReport);
    writer.uint32(Math.min(block.delaySinceLastSenderReport, UINT32_MAX));
  }
}
