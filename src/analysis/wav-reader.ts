import { UsageError } from "../environment/index.ts";
import { ByteQueue } from "./byte-queue.ts";
import { formatName, type SampleFormat, sampleFormat } from "./sample-format.ts";

/** What stands before the samples. */
export interface WavHeader {
  readonly sampleRateHz: number;
  readonly channelCount: number;
  /** "16-bit PCM", "µ-law", … */
  readonly encoding: string;
  /** Samples per channel; missing where the writer did not know (it wrote to a pipe). */
  readonly frames?: number;
}

interface DataFormat {
  readonly header: WavHeader;
  readonly sample: SampleFormat;
}

interface ChunkHead {
  readonly id: string;
  readonly byteLength: number;
}

const FORMAT_EXTENSIBLE = 0xfffe;
const FORMAT_BYTES_MAX = 65_536;
const BLOCK_FRAMES = 16_384;
/** From here on a stated length is what programs write that do not know it (sox, ffmpeg). */
const LENGTH_UNKNOWN_MIN = 0x7fff_0000;
const CHANNELS_MAX = 64;

/**
 * Reads a WAV file of any length in blocks: PCM of 8, 16, 24 and 32 bits, float, G.711; RIFF and
 * RF64; also where the stated lengths are not true.
 */
export class WavReader {
  readonly header: WavHeader;
  readonly #queue: ByteQueue;
  readonly #sample: SampleFormat;
  readonly #name: string;
  #framesRead = 0;
  #rest = 0;
  #isAtEnd = false;

  private constructor(queue: ByteQueue, { header, sample }: DataFormat, name: string) {
    this.#queue = queue;
    this.header = header;
    this.#sample = sample;
    this.#name = name;
  }

  /**
   * Reads up to the first sample.
   *
   * @param name of the file, for errors.
   * @throws UsageError ERR_WAV_MALFORMED, ERR_WAV_UNSUPPORTED, ERR_RECORDING_EMPTY; and what `blocks`
   *   throws.
   */
  static async open(blocks: AsyncIterable<Uint8Array>, name: string): Promise<WavReader> {
    const queue = new ByteQueue(blocks);
    try {
      return new WavReader(queue, await readHeader(queue, name), name);
    } catch (error) {
      await queue.close();
      throw error;
    }
  }

  /** Samples per channel that were read so far. */
  get framesRead(): number {
    return this.#framesRead;
  }

  /** Samples per channel that the header promises and the file does not have; 0 before its end. */
  get framesMissing(): number {
    return this.#isAtEnd ? Math.max(0, (this.header.frames ?? 0) - this.#framesRead) : 0;
  }

  /** Bytes at the end that are no whole sample of each channel. */
  get strayBytes(): number {
    return this.#rest;
  }

  /** The next samples of each channel; `undefined` at the end. */
  async next(): Promise<readonly Int16Array[] | undefined> {
    const { channelCount, frames = Number.POSITIVE_INFINITY } = this.header;
    const frameBytes = channelCount * this.#sample.bytesPerSample;
    const wanted = Math.min(BLOCK_FRAMES, frames - this.#framesRead);
    const bytes = wanted > 0 ? await this.#queue.take(wanted * frameBytes) : new Uint8Array(0);
    const count = Math.floor(bytes.length / frameBytes);
    this.#rest += bytes.length - count * frameBytes;
    if (count > 0) {
      this.#framesRead += count;
      return this.#decode(bytes, count);
    }
    if (this.#framesRead === 0) throw empty(this.#name, "its data chunk is empty");
    this.#isAtEnd = true;
    return undefined;
  }

  /** Reads no more. */
  close(): Promise<void> {
    return this.#queue.close();
  }

  #decode(bytes: Uint8Array, count: number): Int16Array[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const { bytesPerSample, read } = this.#sample;
    const { channelCount } = this.header;
    const frameBytes = channelCount * bytesPerSample;
    return Array.from({ length: channelCount }, (_, channel) => {
      const samples = new Int16Array(count);
      for (let index = 0; index < count; index += 1) {
        samples[index] = read(view, index * frameBytes + channel * bytesPerSample);
      }
      return samples;
    });
  }
}

/** Whether these are the first bytes of a file that `WavReader` reads, encodings apart. */
export function looksLikeWav(bytes: Uint8Array): boolean {
  if (bytes.length < 12) return false;
  const text = String.fromCharCode(...bytes.subarray(0, 12));
  return (text.startsWith("RIFF") || text.startsWith("RF64")) && text.endsWith("WAVE");
}

async function readHeader(queue: ByteQueue, name: string): Promise<DataFormat> {
  const riff = await queue.take(12);
  if (riff.length === 0) throw empty(name, "the file has no byte");
  if (!looksLikeWav(riff)) throw malformed(name, "it does not begin with a RIFF/WAVE header", 0);
  let format: { header: WavHeader; sample: SampleFormat } | undefined;
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- chunks stand one behind the other.
    const chunk = await readChunkHead(queue);
    if (chunk === undefined) throw noData(name, queue.taken, format !== undefined);
    if (chunk.id === "data") {
      if (format === undefined)
        throw malformed(name, "the data come before their format", queue.taken);
      // oxlint-disable-next-line no-await-in-loop -- the last turn of the loop.
      return withLength(format, await dataBytes(queue, chunk));
    }
    // oxlint-disable-next-line no-await-in-loop -- chunks stand one behind the other.
    if (chunk.id === "fmt ") format = await readFormat(queue, chunk, name);
    // oxlint-disable-next-line no-await-in-loop -- chunks stand one behind the other.
    else await skipChunk(queue, chunk, name);
  }
}

async function readChunkHead(queue: ByteQueue): Promise<ChunkHead | undefined> {
  const bytes = await queue.take(8);
  return bytes.length < 8 ? undefined : chunkHead(bytes);
}

function chunkHead(bytes: Uint8Array): ChunkHead {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const id = String.fromCharCode(...bytes.subarray(0, 4));
  return { id, byteLength: view.getUint32(4, true) };
}

/** Each chunk is padded to an even length. */
async function skipChunk(queue: ByteQueue, chunk: ChunkHead, name: string): Promise<void> {
  const at = queue.taken;
  const { id, byteLength } = chunk;
  const skipped = await queue.skip(byteLength + (byteLength % 2));
  if (skipped < byteLength) {
    const what = `chunk ${JSON.stringify(id)} says ${byteLength} bytes, of which ${skipped} are there`;
    throw malformed(name, what, at);
  }
}

async function readFormat(queue: ByteQueue, chunk: ChunkHead, name: string): Promise<DataFormat> {
  const at = queue.taken;
  const { byteLength } = chunk;
  if (byteLength < 16) throw malformed(name, "the format chunk is shorter than 16 bytes", at);
  if (byteLength > FORMAT_BYTES_MAX) {
    throw malformed(name, `the format chunk says ${byteLength} bytes`, at);
  }
  const bytes = await queue.take(byteLength + (byteLength % 2));
  if (bytes.length < byteLength) throw malformed(name, "it ends within the format chunk", at);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let tag = view.getUint16(0, true);
  // The first two bytes of the sub-format GUID are the format tag proper.
  if (tag === FORMAT_EXTENSIBLE && byteLength >= 40) tag = view.getUint16(24, true);
  const channelCount = view.getUint16(2, true);
  const sampleRateHz = view.getUint32(4, true);
  const bits = view.getUint16(14, true);
  const sample = sampleFormat(tag, bits);
  if (sample === undefined) throw unsupported(name, formatName(tag, bits));
  if (channelCount === 0 || channelCount > CHANNELS_MAX) {
    throw malformed(name, `it says ${channelCount} channels`, at + 2);
  }
  if (sampleRateHz === 0) throw malformed(name, "its sample rate is 0", at + 4);
  return { header: { sampleRateHz, channelCount, encoding: sample.name }, sample };
}

/** Bytes of samples; `undefined` where they go on to the end of the file. */
async function dataBytes(queue: ByteQueue, { byteLength }: ChunkHead): Promise<number | undefined> {
  if (byteLength >= LENGTH_UNKNOWN_MIN) return undefined;
  if (byteLength > 0) return byteLength;
  // Some writers fill in the length at the end, and were killed; and some files have no samples.
  const next = await queue.peek(8);
  return next.length < 8 || isChunkId(chunkHead(next).id) ? 0 : undefined;
}

function isChunkId(id: string): boolean {
  return /^[A-Za-z][A-Za-z0-9 ]{3}$/u.test(id);
}

function withLength({ header, sample }: DataFormat, byteLength: number | undefined): DataFormat {
  if (byteLength === undefined) return { header, sample };
  const frames = Math.floor(byteLength / (header.channelCount * sample.bytesPerSample));
  return { header: { ...header, frames }, sample };
}

function noData(name: string, at: number, hasFormat: boolean): UsageError {
  return hasFormat
    ? empty(name, `it ends after ${at} bytes, before the first sample`)
    : malformed(name, "it has neither a format nor data", at);
}

function empty(name: string, what: string): UsageError {
  return new UsageError(
    "ERR_RECORDING_EMPTY",
    `There is no sound in ${name}: ${what}. Was the recorder stopped before it wrote anything?`,
    { context: { name } },
  );
}

function malformed(name: string, what: string, offset: number): UsageError {
  return new UsageError(
    "ERR_WAV_MALFORMED",
    `${name} is no readable WAV file: ${what} (byte ${offset}). Export it again as 16-bit PCM.`,
    { context: { name, offset } },
  );
}

function unsupported(name: string, what: string): UsageError {
  return new UsageError(
    "ERR_WAV_UNSUPPORTED",
    `${name} holds ${what}, which Sidetone does not read. Convert it to 16-bit PCM, for example: sox in.wav -b 16 -e signed-integer out.wav`,
    { context: { name, what } },
  );
}
