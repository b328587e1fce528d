import { Resampler } from "../audio/index.ts";
import type { AudioDecoder, Codec } from "../codec/index.ts";
import { assert } from "../environment/index.ts";
import { SampleScratch } from "./sample-scratch.ts";

/** The longest that any packet decodes to: 120 ms of Opus, or a datagram full of G.722. */
const DECODED_SAMPLES_MAX = 5760;

/** All streams of a thread take turns: nothing stays in here from call to call. */
const DECODED = new SampleScratch();
const RESAMPLED = new SampleScratch();

/** Decodes one payload type of a stream to the session's sample rate. */
export class StreamDecoder {
  readonly codec: Codec;
  readonly #decoder: AudioDecoder;
  readonly #resampler: Resampler | undefined;
  readonly #sampleRateHz: number;

  constructor(codec: Codec, sampleRateHz: number) {
    this.codec = codec;
    this.#decoder = codec.createDecoder();
    this.#sampleRateHz = sampleRateHz;
    this.#resampler =
      codec.sampleRateHz === sampleRateHz
        ? undefined
        : new Resampler({ fromHz: codec.sampleRateHz, toHz: sampleRateHz });
  }

  /** What resampling adds to the delay. */
  get delayMs(): number {
    return this.#resampler?.delayMs ?? 0;
  }

  /** The duration of `payload` in ticks of the codec's RTP clock; 0 if it cannot be told. */
  payloadTicks(payload: Uint8Array): number {
    return this.#decoder.payloadTicks(payload);
  }

  /** The payload's audio, valid until the next call; empty if it is malformed. */
  decode(payload: Uint8Array): Int16Array {
    const count = this.#decoder.decode(payload, DECODED.view(DECODED_SAMPLES_MAX));
    return this.#resampled(DECODED.view(count));
  }

  /** `samples` of audio in place of what was lost, valid until the next call. */
  conceal(samples: number): Int16Array {
    const lost = DECODED.view(this.#decodedSamples(samples));
    this.#decoder.conceal(lost);
    return this.#resampled(lost);
  }

  /** The audio lost just before the payload `next`, if that carries it. */
  recover(next: Uint8Array, samples: number): Int16Array | undefined {
    const lost = DECODED.view(this.#decodedSamples(samples));
    if (!this.#decoder.recover(next, lost)) return undefined;
    return this.#resampled(lost);
  }

  /** What resampling still holds of the audio before a silence; then it starts as new. */
  drain(): Int16Array {
    const resampler = this.#resampler;
    if (resampler === undefined) return RESAMPLED.view(0);
    const tail = DECODED.view(Math.ceil((resampler.delayMs * this.codec.sampleRateHz) / 1000));
    tail.fill(0);
    const drained = this.#resampled(tail);
    resampler.reset();
    return drained;
  }

  /** Gives the decoder's memory back. */
  release(): void {
    this.#decoder.release();
  }

  #decodedSamples(samples: number): number {
    const wanted = Math.round((samples * this.codec.sampleRateHz) / this.#sampleRateHz);
    return Math.min(DECODED_SAMPLES_MAX, wanted);
  }

  #resampled(samples: Int16Array): Int16Array {
    const resampler = this.#resampler;
    if (resampler === undefined) return samples;
    const room = RESAMPLED.view(resampler.outputLength(DECODED_SAMPLES_MAX));
    const count = resampler.process(samples, room);
    assert(count <= room.length, "the resampler keeps to outputLength");
    return RESAMPLED.view(count);
  }
}
