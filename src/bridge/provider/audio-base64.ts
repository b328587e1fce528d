import type { AudioFormat } from "./audio-format.ts";

// Samples are s16le on the wire; so are Int16Arrays on every machine that we run on.

/** Encodes blocks of samples of one fixed length; the block is filled in place. */
export class AudioBase64Encoder {
  /** Fill it, then `encode`. */
  readonly block: Int16Array;
  readonly #law: AudioFormat["law"];
  readonly #bytes: Buffer;

  constructor(format: AudioFormat, blockSamples: number) {
    const memory = new ArrayBuffer(blockSamples * 2);
    this.block = new Int16Array(memory);
    this.#law = format.law;
    this.#bytes = format.law === undefined ? Buffer.from(memory) : Buffer.alloc(blockSamples);
  }

  /** Of one block. */
  get blockBytes(): number {
    return this.#bytes.length;
  }

  encode(): string {
    this.#law?.compress(this.block, this.#bytes);
    return this.#bytes.toString("base64");
  }
}

/**
 * Decodes the audio of one item from its deltas, however they were cut: a delta that ends within a
 * sample leaves its last byte for the next one.
 */
export class AudioBase64Decoder {
  readonly #law: AudioFormat["law"];
  #memory = Buffer.from(new ArrayBuffer(16_384));
  #hasHalfSample = false;

  constructor(format: AudioFormat) {
    this.#law = format.law;
  }

  /** Forgets a half sample; says whether there was one. */
  reset(): boolean {
    const hadHalfSample = this.#hasHalfSample;
    this.#hasHalfSample = false;
    return hadHalfSample;
  }

  /** The samples that are complete now, in memory of their own. */
  decode(base64: string): Int16Array {
    const start = this.#hasHalfSample ? 1 : 0;
    this.#reserve(start + Math.ceil((base64.length * 3) / 4));
    const end = start + this.#memory.write(base64, start, "base64");
    if (this.#law === undefined) return this.#linear(end);
    const samples = new Int16Array(end);
    this.#law.expand(this.#memory.subarray(0, end), samples);
    return samples;
  }

  #linear(end: number): Int16Array {
    const sampleCount = end >> 1;
    const samples = new Int16Array(sampleCount);
    Buffer.from(samples.buffer).set(this.#memory.subarray(0, sampleCount * 2));
    this.#hasHalfSample = end % 2 === 1;
    if (this.#hasHalfSample) this.#memory[0] = this.#memory[end - 1] as number;
    return samples;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#memory.length) return;
    const grown = Buffer.from(new ArrayBuffer(bytes * 2));
    grown[0] = this.#memory[0] as number;
    this.#memory = grown;
  }
}
