import { Resampler } from "../audio/index.ts";
import type { AudioEncoder, Codec, EncoderOptions } from "../codec/index.ts";
import { PACKET_BYTES_MAX } from "./packet-writer.ts";

/**
 * Encodes the session's frames for the codec that is sent with, at that codec's own rate.
 *
 * The session's rate is that of the first codec agreed on; a later one of another rate is reached
 * by resampling, which delays what is sent by `delayMs` more.
 */
export class AudioEncoding {
  /** Of resampling alone; the encoder's own look-ahead is `Codec`'s. */
  readonly delayMs: number;
  readonly #encoder: AudioEncoder;
  readonly #resampler: Resampler | undefined;
  readonly #resampled: Int16Array;
  readonly #room = new Uint8Array(PACKET_BYTES_MAX);
  /** The part of it that the newest payload fills: kept, since most are of one length. */
  #payload: Uint8Array = this.#room;

  constructor(codec: Codec, sampleRateHz: number, options: EncoderOptions) {
    this.#encoder = codec.createEncoder(options);
    this.#resampler =
      codec.sampleRateHz === sampleRateHz
        ? undefined
        : new Resampler({ fromHz: sampleRateHz, toHz: codec.sampleRateHz });
    this.delayMs = this.#resampler?.delayMs ?? 0;
    this.#resampled = new Int16Array((codec.sampleRateHz * options.ptimeMs) / 1000);
  }

  /** The payload of one frame, valid until the next call; empty where the codec sends nothing. */
  encode(frame: Int16Array): Uint8Array {
    const samples = this.#atCodecRate(frame);
    const bytes = this.#encoder.encode(samples, this.#room);
    if (this.#payload.length !== bytes) this.#payload = this.#room.subarray(0, bytes);
    return this.#payload;
  }

  /** Gives the encoder's memory back. */
  release(): void {
    this.#encoder.release();
  }

  #atCodecRate(frame: Int16Array): Int16Array {
    if (this.#resampler === undefined) return frame;
    const count = this.#resampler.process(frame, this.#resampled);
    // Whole frames come out of whole frames: their lengths are in the ratio of the rates.
    return this.#resampled.subarray(0, count);
  }
}
