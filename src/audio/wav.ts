import { UsageError } from "../environment/index.ts";

/** The audio of a WAV file: 16-bit linear PCM, one or two channels of equal length. */
export interface WavAudio {
  readonly sampleRateHz: number;
  readonly channels: Int16Array[];
}

interface WavFormat {
  readonly channelCount: number;
  readonly sampleRateHz: number;
}

interface Chunk {
  readonly id: string;
  /** Where the chunk's content begins in the file. */
  readonly offset: number;
  readonly byteLength: number;
}

const FORMAT_PCM = 1;
const FORMAT_EXTENSIBLE = 0xfffe;
const FORMAT_NAMES: ReadonlyMap<number, string> = new Map([
  [2, "ADPCM"],
  [3, "floating point"],
  [6, "A-law"],
  [7, "µ-law"],
  [17, "IMA ADPCM"],
  [49, "GSM 6.10"],
  [85, "MP3"],
]);
const HEADER_BYTES = 44;
/** What programs that write to a pipe put where they do not know the length of the data. */
const LENGTH_UNKNOWN = 0xffff_ffff;

/**
 * Reads a WAV file of 16-bit PCM with one or two channels (also as WAVE_FORMAT_EXTENSIBLE).
 *
 * @throws UsageError ERR_WAV_MALFORMED with the byte offset of what is wrong, or
 *   ERR_WAV_UNSUPPORTED saying how to convert the file.
 */
export function decodeWav(bytes: Uint8Array): WavAudio {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.byteLength < 12 || fourCc(view, 8) !== "WAVE" || !fourCc(view, 0).startsWith("RI")) {
    throw malformed("it does not begin with a RIFF/WAVE header", 0);
  }
  if (fourCc(view, 0) !== "RIFF") throw unsupported(`byte order ${fourCc(view, 0)}`);
  let format: WavFormat | undefined;
  for (const chunk of chunks(view)) {
    if (chunk.id === "fmt ") format = decodeFormat(view, chunk);
    if (chunk.id !== "data") continue;
    if (format === undefined) throw malformed("the data come before their format", chunk.offset);
    return { sampleRateHz: format.sampleRateHz, channels: decodeSamples(view, chunk, format) };
  }
  throw malformed("it has no data chunk", view.byteLength);
}

/** Writes a WAV file of 16-bit PCM; the channels must be one or two, of equal length. */
export function encodeWav(audio: WavAudio): Uint8Array {
  const { sampleRateHz, channels } = audio;
  const length = channels[0]?.length ?? 0;
  if (channels.length < 1 || channels.length > 2 || channels.some((c) => c.length !== length)) {
    throw unsupported("anything but one or two channels of equal length");
  }
  const frameBytes = 2 * channels.length;
  const bytes = new Uint8Array(HEADER_BYTES + length * frameBytes);
  const view = new DataView(bytes.buffer);
  writeHeader(view, sampleRateHz, channels.length);
  for (const [channel, samples] of channels.entries()) {
    for (let index = 0; index < length; index += 1) {
      const offset = HEADER_BYTES + index * frameBytes + 2 * channel;
      view.setInt16(offset, samples[index] as number, true);
    }
  }
  return bytes;
}

function writeHeader(view: DataView, sampleRateHz: number, channelCount: number): void {
  const frameBytes = 2 * channelCount;
  writeFourCc(view, 0, "RIFF");
  view.setUint32(4, view.byteLength - 8, true);
  writeFourCc(view, 8, "WAVE");
  writeFourCc(view, 12, "fmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, FORMAT_PCM, true);
  view.setUint16(22, channelCount, true);
  view.setUint32(24, sampleRateHz, true);
  view.setUint32(28, sampleRateHz * frameBytes, true);
  view.setUint16(32, frameBytes, true);
  view.setUint16(34, 16, true);
  writeFourCc(view, 36, "data");
  view.setUint32(40, view.byteLength - HEADER_BYTES, true);
}

/**
 * Walks the chunks; each is padded to an even length, but for the last of some writers.
 *
 * @yields the chunks in their order, each known to lie within the file.
 */
function* chunks(view: DataView): Generator<Chunk> {
  let offset = 12;
  while (offset + 8 <= view.byteLength) {
    const id = fourCc(view, offset);
    const stated = view.getUint32(offset + 4, true);
    offset += 8;
    const rest = view.byteLength - offset;
    const byteLength = id === "data" && stated === LENGTH_UNKNOWN ? rest : stated;
    if (byteLength > rest) {
      throw malformed(`chunk "${id}" says ${stated} bytes, of which ${rest} are there`, offset);
    }
    yield { id, offset, byteLength };
    offset += byteLength + (byteLength % 2);
  }
}

function decodeFormat(view: DataView, chunk: Chunk): WavFormat {
  const { offset, byteLength } = chunk;
  if (byteLength < 16) throw malformed("the format chunk is shorter than 16 bytes", offset);
  let tag = view.getUint16(offset, true);
  // The first two bytes of the sub-format GUID are the format tag proper.
  if (tag === FORMAT_EXTENSIBLE && byteLength >= 40) tag = view.getUint16(offset + 24, true);
  const channelCount = view.getUint16(offset + 2, true);
  const sampleRateHz = view.getUint32(offset + 4, true);
  const bits = view.getUint16(offset + 14, true);
  if (tag !== FORMAT_PCM) throw unsupported(FORMAT_NAMES.get(tag) ?? `format ${tag}`);
  if (bits !== 16) throw unsupported(`${bits} bits per sample`);
  if (channelCount !== 1 && channelCount !== 2) throw unsupported(`${channelCount} channels`);
  if (sampleRateHz === 0) throw malformed("its sample rate is 0", offset + 4);
  return { channelCount, sampleRateHz };
}

function decodeSamples(view: DataView, chunk: Chunk, format: WavFormat): Int16Array[] {
  const frameBytes = 2 * format.channelCount;
  const length = Math.floor(chunk.byteLength / frameBytes);
  if (length * frameBytes !== chunk.byteLength) {
    throw malformed("the data end within a sample", chunk.offset + length * frameBytes);
  }
  return Array.from({ length: format.channelCount }, (_, channel) => {
    const samples = new Int16Array(length);
    for (let index = 0; index < length; index += 1) {
      samples[index] = view.getInt16(chunk.offset + index * frameBytes + 2 * channel, true);
    }
    return samples;
  });
}

function fourCc(view: DataView, offset: number): string {
  const codes = [0, 1, 2, 3].map((index) => view.getUint8(offset + index));
  return String.fromCharCode(...codes);
}

function writeFourCc(view: DataView, offset: number, id: string): void {
  for (let index = 0; index < 4; index += 1) view.setUint8(offset + index, id.charCodeAt(index));
}

function malformed(what: string, offset: number): UsageError {
  return new UsageError(
    "ERR_WAV_MALFORMED",
    `Not a readable WAV file: ${what} (byte ${offset}). Export it again as 16-bit PCM.`,
    { context: { offset } },
  );
}

function unsupported(what: string): UsageError {
  return new UsageError(
    "ERR_WAV_UNSUPPORTED",
    `WAV files with ${what} are not supported. Convert to 16-bit PCM, for example: sox in.wav -b 16 -e signed-integer -c 1 out.wav`,
    { context: { what } },
  );
}
