import type { AudioDecoder } from "./codec.ts";
import { Concealer } from "./concealer.ts";

/** From bytes to samples, with what state it may have. */
export interface WaveformExpansion {
  /** Expands `payload` into `output`, as far as it has room; returns the samples written. */
  expand(payload: Uint8Array, output: Int16Array): number;
}

interface WaveformDecoderOptions {
  readonly sampleRateHz: number;
  readonly bytesPerTick: number;
  readonly expansion: WaveformExpansion;
}

/** A decoder of a codec that has no concealment of its own. */
export class WaveformDecoder implements AudioDecoder {
  readonly #bytesPerTick: number;
  readonly #expansion: WaveformExpansion;
  readonly #concealer: Concealer;
  /** The written part of the output: kept, because callers bring the same output each time. */
  #written: Int16Array | undefined;

  constructor(options: WaveformDecoderOptions) {
    this.#bytesPerTick = options.bytesPerTick;
    this.#expansion = options.expansion;
    this.#concealer = new Concealer({ sampleRateHz: options.sampleRateHz });
  }

  decode(payload: Uint8Array, output: Int16Array): number {
    const count = this.#expansion.expand(payload, output);
    if (count > 0) this.#concealer.accept(this.#firstOf(output, count));
    return count;
  }

  recover(_next: Uint8Array, _output: Int16Array): boolean {
    return false;
  }

  conceal(output: Int16Array): void {
    this.#concealer.conceal(output);
  }

  payloadTicks(payload: Uint8Array): number {
    return Math.floor(payload.length / this.#bytesPerTick);
  }

  release(): void {
    this.#written = undefined;
  }

  #firstOf(output: Int16Array, count: number): Int16Array {
    if (count === output.length) return output;
    const kept = this.#written;
    const isSame =
      kept?.buffer === output.buffer &&
      kept.byteOffset === output.byteOffset &&
      kept.length === count;
    if (!isSame) this.#written = output.subarray(0, count);
    return this.#written as Int16Array;
  }
}
