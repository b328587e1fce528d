import { SampleRing } from "../sample-ring.ts";
import { AudioBase64Encoder } from "./audio-base64.ts";
import type { AudioFormat } from "./audio-format.ts";

/** How caller audio is handed over. */
export interface CallerAudioSettings {
  readonly input: AudioFormat;
  /** Audio gathered into one message. */
  readonly appendMs: number;
  /** Kept until the session is ready; beyond it the oldest is dropped. */
  readonly readyBufferMs: number;
}

/** Takes one block of audio as base64, and its size in bytes. */
export type SendBlock = (base64: string, bytes: number) => void;

/**
 * Caller audio on its way to the server: gathered into blocks of `appendMs`, and kept back while
 * the session is not ready. Of what is kept back the newest `readyBufferMs` stay: the caller's last
 * words before the session was ready count, not the ringing before them.
 */
export class CallerAudioQueue {
  readonly samplesPerMs: number;
  readonly #encoder: AudioBase64Encoder;
  readonly #ring: SampleRing;
  readonly #capacitySamples: number;
  #sentSamples = 0;
  #droppedSamples = 0;

  constructor(settings: CallerAudioSettings) {
    this.samplesPerMs = settings.input.sampleRateHz / 1000;
    const blockSamples = Math.max(1, Math.round(settings.appendMs * this.samplesPerMs));
    const kept = Math.round(settings.readyBufferMs * this.samplesPerMs);
    this.#encoder = new AudioBase64Encoder(settings.input, blockSamples);
    // One block more, so that a block can be completed even where nothing shall be kept back.
    this.#capacitySamples = kept + blockSamples;
    this.#ring = new SampleRing(this.#capacitySamples);
  }

  get sentMs(): number {
    return this.#sentSamples / this.samplesPerMs;
  }

  /** Where the block that is just handed out stands in the caller's audio, dropped audio included. */
  get lastBlock(): { readonly fromMs: number; readonly toMs: number } {
    const toMs = (this.#droppedSamples + this.#sentSamples) / this.samplesPerMs;
    return { fromMs: toMs - this.#encoder.block.length / this.samplesPerMs, toMs };
  }

  /** Samples thrown away because the session was not ready in time. */
  get droppedSamples(): number {
    return this.#droppedSamples;
  }

  /** Takes samples, which may be none, and hands out the blocks that are complete. */
  write(samples: Int16Array, isReady: boolean, send: SendBlock): void {
    const pieceSamples = this.#encoder.block.length;
    for (let offset = 0; offset < samples.length; offset += pieceSamples) {
      this.#keep(samples.subarray(offset, offset + pieceSamples));
      if (isReady) this.#drain(send);
    }
    if (isReady) this.#drain(send);
  }

  #keep(piece: Int16Array): void {
    const excess = this.#ring.length + piece.length - this.#capacitySamples;
    if (excess > 0) {
      this.#ring.drop(excess);
      this.#droppedSamples += excess;
    }
    this.#ring.write(piece);
  }

  #drain(send: SendBlock): void {
    const { block } = this.#encoder;
    while (this.#ring.length >= block.length) {
      this.#ring.read(block, 0, block.length);
      this.#sentSamples += block.length;
      send(this.#encoder.encode(), this.#encoder.blockBytes);
    }
  }
}
