import { type PolyphaseKernel, workspaceSize } from "./polyphase-kernel.ts";
import { COEFFICIENT_BITS, type PolyphaseTaps } from "./polyphase-taps.ts";
import type { PolyphaseModule } from "./simd/polyphase-module.ts";

/** The most input samples at once. */
const ROOM_SAMPLES = 4096;
/** A coefficient is 1024·high + low. */
const LOW_BITS = 10;
/** Absolute coefficients that add up to less than this cannot overflow 32 bits; real ones to 3. */
const ABSOLUTE_SUM_MAX = 3.9 * 2 ** COEFFICIENT_BITS;
const VECTOR_SAMPLES = 8;
const SAMPLE_BYTES = 2;
/** High and low part of each coefficient. */
const TAP_BYTES = 4;

/** The kernel in WebAssembly SIMD (simd/polyphase.wat). Its outputs equal the `ScalarKernel`'s. */
export class SimdKernel implements PolyphaseKernel {
  readonly taps: PolyphaseTaps;
  readonly roomSamples: number = ROOM_SAMPLES;
  readonly window: Int16Array;
  readonly history: Int16Array;
  readonly results: Int16Array;
  readonly #module: PolyphaseModule;
  readonly #table: number;
  readonly #rowBytes: number;
  readonly #hopBytes: number;
  readonly #strideBytes: number;

  private constructor(taps: PolyphaseTaps, module: PolyphaseModule, table: number) {
    this.taps = taps;
    this.window = module.window;
    this.history = module.window.subarray(0, taps.length - 1);
    this.results = module.results;
    this.#module = module;
    this.#table = table;
    this.#rowBytes = taps.length * TAP_BYTES;
    this.#hopBytes = taps.down * SAMPLE_BYTES;
    this.#strideBytes = taps.up * SAMPLE_BYTES;
  }

  /** A kernel in `module`; `undefined` where the ratio is too large for its workspace or tables. */
  static create(taps: PolyphaseTaps, module: PolyphaseModule): SimdKernel | undefined {
    const size = workspaceSize(taps, ROOM_SAMPLES);
    const fits =
      size.windowSamples <= module.window.length && size.resultSamples <= module.results.length;
    if (!fits || !isWithin32Bits(taps)) return undefined;
    const table = module.place(interleaved(taps));
    return table === undefined ? undefined : new SimdKernel(taps, module, table);
  }

  row(phase: number, start: number, index: number, count: number): void {
    const row = this.#table + phase * this.#rowBytes;
    this.#module.row(
      this.#module.windowAddress(start),
      row,
      row + this.#rowBytes,
      this.#hopBytes,
      this.#module.resultAddress(index),
      this.#strideBytes,
      count,
    );
  }
}

/** Whether no sum of any phase can overflow, whatever the samples. */
function isWithin32Bits({ up, length, coefficients }: PolyphaseTaps): boolean {
  for (let phase = 0; phase < up; phase += 1) {
    let sum = 0;
    for (let tap = 0; tap < length; tap += 1) {
      sum += Math.abs(coefficients[phase * length + tap] as number);
    }
    if (sum >= ABSOLUTE_SUM_MAX) return false;
  }
  return true;
}

/** The coefficients as polyphase.wat reads them: eight high parts, their eight low parts, and on. */
function interleaved({ coefficients }: PolyphaseTaps): Int16Array {
  const table = new Int16Array(2 * coefficients.length);
  for (const [index, coefficient] of coefficients.entries()) {
    const lane = index % VECTOR_SAMPLES;
    const group = 2 * (index - lane);
    const high = Math.floor(coefficient / 2 ** LOW_BITS + 0.5);
    table[group + lane] = high;
    table[group + VECTOR_SAMPLES + lane] = coefficient - high * 2 ** LOW_BITS;
  }
  return table;
}
