import { assert } from "../environment/index.ts";
import type { AudioDecoder } from "./codec.ts";
import { OPUS_SAMPLE_RATE_HZ, type OpusLibrary, opusLibrary } from "./opus-library.ts";
import { hasInbandFec, opusFrameTicks, opusPacketTicks } from "./opus-packet.ts";

const TICKS_PER_SAMPLE = 48_000 / OPUS_SAMPLE_RATE_HZ;
/** libopus conceals speech in steps of 10 ms; of a shorter one it would throw the rest away. */
const STEP_SAMPLES = 240;
const CONCEALED_AT_ONCE = 2 * STEP_SAMPLES;

/** Opus to mono 24 kHz, from mono or stereo. Its memory is in WebAssembly: it must be released. */
export class OpusDecoder implements AudioDecoder {
  readonly #library: OpusLibrary = opusLibrary();
  /** What was concealed beyond what was asked for: played first if the hole goes on. */
  readonly #surplus: Int16Array = new Int16Array(STEP_SAMPLES);
  #surplusCount = 0;
  #decoder: number;

  constructor() {
    this.#decoder = this.#library.createDecoder();
  }

  decode(payload: Uint8Array, output: Int16Array): number {
    this.#assertUsable();
    const count = this.#library.decode(this.#decoder, payload);
    if (count === 0) return 0;
    this.#surplusCount = 0;
    const written = Math.min(count, output.length);
    this.#library.read(0, output, 0, written);
    return written;
  }

  recover(next: Uint8Array, output: Int16Array): boolean {
    this.#assertUsable();
    if (!hasInbandFec(next)) return false;
    const samples = opusFrameTicks(next) / TICKS_PER_SAMPLE;
    // One frame is all that a packet says of its past; what was lost before it is concealed.
    const from = output.length - samples;
    if (from < 0) return false;
    this.#fill(output, from);
    this.#surplusCount = 0;
    const count = this.#library.decodeBefore(this.#decoder, next, samples);
    if (count < samples) return false;
    this.#library.read(0, output, from, output.length);
    return true;
  }

  conceal(output: Int16Array): void {
    this.#assertUsable();
    this.#fill(output, output.length);
  }

  payloadTicks(payload: Uint8Array): number {
    return opusPacketTicks(payload);
  }

  release(): void {
    if (this.#decoder === 0) return;
    this.#library.destroyDecoder(this.#decoder);
    this.#decoder = 0;
  }

  #assertUsable(): void {
    assert(this.#decoder !== 0, "nobody decodes after release");
  }

  /** Conceals the first `end` samples of `output`. */
  #fill(output: Int16Array, end: number): void {
    let at = this.#takeSurplus(output, end);
    while (at < end) {
      const steps = Math.ceil((end - at) / STEP_SAMPLES);
      const wanted = Math.min(CONCEALED_AT_ONCE, steps * STEP_SAMPLES);
      const count = this.#library.conceal(this.#decoder, wanted);
      assert(count === wanted, "libopus conceals any multiple of 2.5 ms");
      const stop = Math.min(end, at + count);
      this.#library.read(0, output, at, stop);
      this.#surplusCount = at + count - stop;
      this.#library.read(count - this.#surplusCount, this.#surplus, 0, this.#surplusCount);
      at = stop;
    }
  }

  /** Writes what there is of the surplus; returns how much. */
  #takeSurplus(output: Int16Array, end: number): number {
    const count = Math.min(this.#surplusCount, end);
    for (let index = 0; index < count; index += 1) {
      output[index] = this.#surplus[index] as number;
    }
    this.#surplus.copyWithin(0, count, this.#surplusCount);
    this.#surplusCount -= count;
    return count;
  }
}
