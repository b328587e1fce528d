import { type ByteWriter, readUint16, readUint32 } from "./bytes.ts";
import type { DlrrReport, XrBlock } from "./rtcp-packet.ts";
import { readVoipMetrics, VOIP_METRICS_BYTES, writeVoipMetrics } from "./voip-metrics.ts";

/** Block types (RFC 3611 §4). */
const RECEIVER_REFERENCE_TIME = 4;
const DELAY_SINCE_LAST_RR = 5;
const VOIP_METRICS = 7;

const BLOCK_HEADER_BYTES = 4;
const NTP_BYTES = 8;
const DLRR_REPORT_BYTES = 12;

/**
 * Reads the blocks of an XR packet (RFC 3611 §3), which fill `data`.
 *
 * @returns the blocks, or why they are malformed.
 */
export function readXrBlocks(data: Uint8Array): XrBlock[] | string {
  const blocks: XrBlock[] = [];
  let offset = 0;
  while (offset < data.length) {
    if (offset + BLOCK_HEADER_BYTES > data.length) return "An XR block ends within its header.";
    const begin = offset + BLOCK_HEADER_BYTES;
    const end = begin + readUint16(data, offset + 2) * 4;
    if (end > data.length) return "An XR block reaches beyond its packet.";
    const type = data[offset] as number;
    const block = readBlock(type, data[offset + 1] as number, data.subarray(begin, end));
    if (typeof block === "string") return block;
    blocks.push(block);
    offset = end;
  }
  return blocks;
}

/** Writes one block with its header. */
export function writeXrBlock(block: XrBlock, writer: ByteWriter): void {
  switch (block.kind) {
    case "receiverReferenceTime":
      writeBlockHeader(writer, RECEIVER_REFERENCE_TIME, NTP_BYTES);
      writer.uint32(block.ntp.seconds);
      writer.uint32(block.ntp.fraction);
      return;
    case "delaySinceLastRr":
      writeBlockHeader(writer, DELAY_SINCE_LAST_RR, block.reports.length * DLRR_REPORT_BYTES);
      for (const report of block.reports) {
        writer.uint32(report.ssrc);
        writer.uint32(report.lastReceiverReport);
        writer.uint32(report.delaySinceLastReceiverReport);
      }
      return;
    case "voipMetrics":
      writeBlockHeader(writer, VOIP_METRICS, 4 + VOIP_METRICS_BYTES);
      writer.uint32(block.ssrc);
      writeVoipMetrics(block.metrics, writer);
      return;
    case "unknown":
      writer.uint8(block.blockType);
      writer.uint8(block.typeSpecific);
      writer.uint16(block.payload.length / 4);
      writer.bytes(block.payload);
  }
}

function readBlock(type: number, typeSpecific: number, payload: Uint8Array): XrBlock | string {
  switch (type) {
    case RECEIVER_REFERENCE_TIME:
      if (payload.length !== NTP_BYTES)
        return "A Receiver Reference Time block has a wrong length.";
      return {
        kind: "receiverReferenceTime",
        ntp: { seconds: readUint32(payload, 0), fraction: readUint32(payload, 4) },
      };
    case DELAY_SINCE_LAST_RR:
      if (payload.length % DLRR_REPORT_BYTES !== 0) return "A DLRR block has a wrong length.";
      return { kind: "delaySinceLastRr", reports: readDlrrReports(payload) };
    case VOIP_METRICS:
      if (payload.length !== 4 + VOIP_METRICS_BYTES) {
        return "A VoIP Metrics block has a wrong length.";
      }
      return {
        kind: "voipMetrics",
        ssrc: readUint32(payload, 0),
        metrics: readVoipMetrics(payload, 4),
      };
    default:
      return { kind: "unknown", blockType: type, typeSpecific, payload };
  }
}

function readDlrrReports(payload: Uint8Array): DlrrReport[] {
  const reports: DlrrReport[] = [];
  for (let offset = 0; offset < payload.length; offset += DLRR_REPORT_BYTES) {
    reports.push({
      ssrc: readUint32(payload, offset),
      lastReceiverReport: readUint32(payload, offset + 4),
      delaySinceLastReceiverReport: readUint32(payload, offset + 8),
    });
  }
  return reports;
}

function writeBlockHeader(writer: ByteWriter, type: number, payloadBytes: number): void {
  writer.uint8(type);
  writer.uint8(0);
  writer.uint16(payloadBytes / 4);
}
