import { resample, type Voice } from "../../audio/index.ts";
import { ALAW, type G711Law, MULAW } from "../../codec/index.ts";
import type { AudioFormat } from "./session-schema.ts";

/** Samples per second of a format. */
export function sampleRateOf(format: AudioFormat): number {
  return format.type === "audio/pcm" ? 24_000 : 8000;
}

/** Bytes of one ms. */
export function bytesPerMs(format: AudioFormat): number {
  return format.type === "audio/pcm" ? 48 : 8;
}

/**
 * Decodes base64 audio of one format into memory that it owns and uses again. An odd byte of PCM
 * waits for its other half.
 */
export class AudioDecoder {
  readonly #format: AudioFormat;
  #bytes = Buffer.alloc(INITIAL_BYTES);
  #companded = new Int16Array(0);
  #carriedByte: number | undefined;

  constructor(format: AudioFormat) {
    this.#format = format;
  }

  /** The samples, valid until the next call; `undefined` where `base64` is not base64. */
  decode(base64: string): Int16Array | undefined {
    const expectedBytes = decodedLength(base64);
    if (expectedBytes === undefined) return undefined;
    const carriedBytes = this.#carriedByte === undefined ? 0 : 1;
    const availableBytes = carriedBytes + expectedBytes;
    if (availableBytes > this.#bytes.length) this.#bytes = Buffer.alloc(availableBytes * 2);
    this.#bytes[0] = this.#carriedByte ?? 0;
    const writtenBytes = this.#bytes.write(base64, carriedBytes, "base64");
    if (writtenBytes !== expectedBytes) return undefined;
    return this.#format.type === "audio/pcm"
      ? this.#pcm(availableBytes)
      : this.#decompanded(availableBytes);
  }

  #pcm(bytes: number): Int16Array {
    this.#carriedByte = (bytes & 1) === 1 ? this.#bytes[bytes - 1] : undefined;
    return new Int16Array(this.#bytes.buffer, this.#bytes.byteOffset, bytes >> 1);
  }

  #decompanded(bytes: number): Int16Array {
    if (this.#companded.length < bytes) this.#companded = new Int16Array(bytes * 2);
    lawOf(this.#format).expand(this.#bytes.subarray(0, bytes), this.#companded);
    return this.#companded.subarray(0, bytes);
  }
}

/** Room for 100 ms of PCM at first. */
const INITIAL_BYTES = 4800;

/** The bytes that valid base64 holds; `undefined` where its length is impossible. */
function decodedLength(base64: string): number | undefined {
  const end = base64.endsWith("==") ? 2 : Number(base64.endsWith("="));
  const characters = base64.length - end;
  if (characters % 4 === 1 || (end > 0 && base64.length % 4 !== 0)) return undefined;
  return Math.floor((characters * 3) / 4);
}

/** The bot's recordings in the formats that clients asked for, each encoded once. */
export class EncodedVoices {
  readonly #encoded = new WeakMap<Voice, Map<string, Buffer>>();

  /** The bytes of `voice` in `format`; shared, so not to be changed. */
  bytesOf(voice: Voice, format: AudioFormat): Buffer {
    const known = this.#encoded.get(voice) ?? new Map<string, Buffer>();
    this.#encoded.set(voice, known);
    const bytes = known.get(format.type) ?? encode(voice, format);
    known.set(format.type, bytes);
    return bytes;
  }
}

/** Samples as bytes of `format`. */
export function encodeSamples(samples: Int16Array, format: AudioFormat): Buffer {
  if (format.type === "audio/pcm") {
    return Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);
  }
  const bytes = Buffer.alloc(samples.length);
  lawOf(format).compress(samples, bytes);
  return bytes;
}

function lawOf(format: AudioFormat): G711Law {
  return format.type === "audio/pcmu" ? MULAW : ALAW;
}

function encode(voice: Voice, format: AudioFormat): Buffer {
  const rateHz = sampleRateOf(format);
  const samples =
    voice.sampleRateHz === rateHz
      ? voice.samples
      : resample(voice.samples, voice.sampleRateHz, rateHz);
  return encodeSamples(samples, format);
}
