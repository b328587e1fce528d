import { assert, present } from "../environment/index.ts";
import { type Libopus, loadLibopus } from "./libopus.ts";

/** Samples per second of our PCM side: speech has little above 12 kHz, and AI services use 24 kHz. */
export const OPUS_SAMPLE_RATE_HZ = 24_000;
/** The longest packet (RFC 6716 §3.2.5), in samples. */
const PACKET_SAMPLES_MAX = 2880;
/** More than UDP carries. */
const PAYLOAD_BYTES_MAX = 0x1_00_00;

/** `OPUS_APPLICATION_VOIP` of opus_defines.h. */
const APPLICATION_VOIP = 2048;

/**
 * libopus in WebAssembly: one module and one memory for all encoders and decoders of this thread,
 * with one place for a packet and one for its samples, through which all pass. Mono at 24 kHz.
 */
export class OpusLibrary {
  readonly #libopus: Libopus;
  readonly #packet: number;
  readonly #pcm: number;

  constructor(libopus: Libopus) {
    this.#libopus = libopus;
    this.#packet = libopus.allocate(PAYLOAD_BYTES_MAX);
    this.#pcm = libopus.allocate(PACKET_SAMPLES_MAX * 2);
    assertAllocated(this.#packet);
    assertAllocated(this.#pcm);
  }

  /** Size of its memory: it grows with the encoders and decoders in use, and never shrinks. */
  get memoryBytes(): number {
    return this.#libopus.bytes.length;
  }

  createEncoder(): number {
    // libopus writes an error code beside; the encoder's absence says as much.
    const encoder = this.#libopus.createEncoder(
      OPUS_SAMPLE_RATE_HZ,
      1,
      APPLICATION_VOIP,
      this.#pcm,
    );
    assertAllocated(encoder);
    return encoder;
  }

  createDecoder(): number {
    const decoder = this.#libopus.createDecoder(OPUS_SAMPLE_RATE_HZ, 1, this.#pcm);
    assertAllocated(decoder);
    return decoder;
  }

  destroyEncoder(encoder: number): void {
    this.#libopus.destroyEncoder(encoder);
  }

  destroyDecoder(decoder: number): void {
    this.#libopus.destroyDecoder(decoder);
  }

  /** Sets one of the encoder's properties: `request` and `value` as in opus_defines.h. */
  configure(encoder: number, request: number, value: number): void {
    const result = this.#libopus.configure(encoder, request, value);
    assert(result === 0, "the property and its value were checked before");
  }

  lookaheadSamples(encoder: number): number {
    return this.#libopus.lookahead(encoder);
  }

  /** Encodes one packet of at most `bytesMax`; returns its bytes. */
  encode(encoder: number, samples: Int16Array, output: Uint8Array, bytesMax: number): number {
    const libopus = this.#libopus;
    libopus.samples.set(samples, this.#pcm >> 1);
    const bytes = libopus.encode(encoder, this.#pcm, samples.length, this.#packet, bytesMax);
    assert(bytes >= 0, "libopus encodes whatever samples of a duration that it supports");
    const heap = libopus.bytes;
    for (let index = 0; index < bytes; index += 1) {
      output[index] = heap[this.#packet + index] as number;
    }
    return bytes;
  }

  /** Decodes `payload`, for `read` to fetch; returns the samples, or 0 if it is malformed. */
  decode(decoder: number, payload: Uint8Array): number {
    return this.#decode(decoder, payload, PACKET_SAMPLES_MAX, 0);
  }

  /** Decodes what `next` says of the `samples` before it (in-band FEC); as `decode`. */
  decodeBefore(decoder: number, next: Uint8Array, samples: number): number {
    return this.#decode(decoder, next, samples, 1);
  }

  /** Conceals `samples`, of 2.5 ms or a multiple; as `decode`. */
  conceal(decoder: number, samples: number): number {
    return Math.max(0, this.#libopus.decode(decoder, 0, 0, this.#pcm, samples, 0));
  }

  /** Copies what was decoded last from the sample `from` on to `output`, from `at` up to `end`. */
  read(from: number, output: Int16Array, at: number, end: number): void {
    const heap = this.#libopus.samples;
    const offset = (this.#pcm >> 1) + from - at;
    for (let index = at; index < end; index += 1) {
      output[index] = heap[offset + index] as number;
    }
  }

  #decode(decoder: number, payload: Uint8Array, samplesMax: number, isFec: number): number {
    const bytes = payload.length;
    // Without a payload libopus would conceal.
    if (bytes === 0 || bytes > PAYLOAD_BYTES_MAX) return 0;
    this.#libopus.bytes.set(payload, this.#packet);
    const pcm = this.#pcm;
    const count = this.#libopus.decode(decoder, this.#packet, bytes, pcm, samplesMax, isFec);
    return Math.max(0, count);
  }
}

let loading: Promise<void> | undefined;
let loaded: OpusLibrary | undefined;

/**
 * Loads libopus, once per thread.
 *
 * @throws EnvironmentError ERR_CODEC_UNAVAILABLE where the package is missing or another version.
 */
export async function loadOpus(): Promise<void> {
  loading ??= instantiate();
  await loading;
}

/** The library, which `loadOpus` loaded. */
export function opusLibrary(): OpusLibrary {
  return present(loaded, 'loadCodecs was awaited with "opus" before its first use');
}

async function instantiate(): Promise<void> {
  loaded = new OpusLibrary(await loadLibopus());
}

function assertAllocated(pointer: number): void {
  assert(pointer !== 0, "2 GB of WebAssembly memory hold more Opus calls than a machine can carry");
}
