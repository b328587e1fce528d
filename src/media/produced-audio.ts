import type { HeardKind, HeardSamples } from "./heard-account.ts";

/** 120 ms at 8 kHz would be 960: it grows where packets need it. */
const INITIAL_SAMPLES = 160;

/** One piece of audio between its making and the frames that take it. */
export class ProducedAudio {
  #samples: Int16Array = new Int16Array(INITIAL_SAMPLES);
  #length = 0;
  #taken = 0;
  #kind: HeardKind = "silent";
  /** How many of the samples, the first ones, count as put in. */
  #inserted = 0;

  /** Samples that wait to be taken. */
  get waiting(): number {
    return this.#length - this.#taken;
  }

  /** Puts in a new piece; the one before must have been taken. */
  put(samples: Int16Array, kind: HeardKind, inserted: number): void {
    if (samples.length > this.#samples.length) this.#samples = new Int16Array(samples.length);
    this.#samples.set(samples);
    this.#begin(samples.length, kind);
    this.#inserted = inserted;
  }

  /** Puts in digital silence. */
  putSilence(length: number, kind: HeardKind = "silent"): void {
    if (length > this.#samples.length) this.#samples = new Int16Array(length);
    this.#samples.fill(0, 0, length);
    this.#begin(length, kind);
  }

  /** Moves samples to `output` from `from` on, up to its end; returns how many. */
  take(output: Int16Array, from: number, heard: HeardSamples): number {
    const count = Math.min(this.waiting, output.length - from);
    const samples = this.#samples;
    const taken = this.#taken;
    for (let index = 0; index < count; index += 1) {
      output[from + index] = samples[taken + index] as number;
    }
    const inserted = Math.max(0, Math.min(count, this.#inserted - this.#taken));
    if (inserted > 0) heard.addInserted(inserted);
    heard.add(this.#kind, count - inserted);
    this.#taken += count;
    return count;
  }

  #begin(length: number, kind: HeardKind): void {
    this.#length = length;
    this.#taken = 0;
    this.#kind = kind;
    this.#inserted = 0;
  }
}
