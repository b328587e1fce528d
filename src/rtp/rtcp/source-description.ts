import { type ByteWriter, readUint32 } from "./bytes.ts";
import type { SdesChunk, SdesItem } from "./rtcp-packet.ts";

/** RFC 3550 §6.5: an item's length is one octet. */
const TEXT_BYTES_MAX = 255;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Reads the chunks of an SDES packet (RFC 3550 §6.5), which fill `payload`.
 *
 * @returns the chunks, or why they are malformed.
 */
export function readSdesChunks(payload: Uint8Array, count: number): SdesChunk[] | string {
  const chunks: SdesChunk[] = [];
  let offset = 0;
  for (let index = 0; index < count; index += 1) {
    if (offset + 8 > payload.length) return "An SDES packet is shorter than its chunk count says.";
    const ssrc = readUint32(payload, offset);
    const items: SdesItem[] = [];
    const end = readItems(payload, offset + 4, items);
    if (end === undefined) return "An SDES item reaches beyond its packet.";
    chunks.push({ ssrc, items });
    offset = end;
  }
  return chunks;
}

/** Writes one chunk: items, the null octet that ends them, zeros up to the word's end. */
export function writeSdesChunk(chunk: SdesChunk, writer: ByteWriter): void {
  writer.uint32(chunk.ssrc);
  for (const item of chunk.items) {
    writer.uint8(item.type);
    writeText(item.text, writer);
  }
  writer.uint8(0);
  writer.alignToWord();
}

/** Reads UTF-8; octets that are none become U+FFFD. */
export function readText(data: Uint8Array, begin: number, end: number): string {
  return decoder.decode(data.subarray(begin, end));
}

/** Writes one octet of length and the text, cut at a character where it is too long. */
export function writeText(text: string, writer: ByteWriter): void {
  const output = new Uint8Array(TEXT_BYTES_MAX);
  const { written } = encoder.encodeInto(text, output);
  writer.uint8(written);
  writer.bytes(output.subarray(0, written));
}

/** Reads items up to the null octet; gives the begin of the next chunk. */
function readItems(payload: Uint8Array, begin: number, items: SdesItem[]): number | undefined {
  let offset = begin;
  while (offset < payload.length) {
    const type = payload[offset] as number;
    // The next chunk begins on the next 32-bit boundary after the null octet.
    if (type === 0) return Math.min((offset & ~3) + 4, payload.length);
    const textEnd = offset + 2 + (payload[offset + 1] ?? TEXT_BYTES_MAX);
    if (textEnd > payload.length) return undefined;
    items.push({ type, text: readText(payload, offset + 2, textEnd) });
    offset = textEnd;
  }
  return undefined;
}
