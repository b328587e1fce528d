import { BLOCK_OUTPUTS, type PolyphaseKernel, workspaceSize } from "./polyphase-kernel.ts";
import { COEFFICIENT_BITS, type PolyphaseTaps } from "./polyphase-taps.ts";

/** Bounds the workspace: input samples, and results of them. */
const ROOM_SAMPLES = 4096;
const RESULTS_MAX = 65_536;

/**
 * The kernel in plain TypeScript: for machines without SIMD, and for ratios whose tables are large
 * (44.1 kHz). Its sums of whole numbers are exact in 64-bit floating point.
 */
export class ScalarKernel implements PolyphaseKernel {
  readonly taps: PolyphaseTaps;
  readonly roomSamples: number;
  readonly window: Int16Array;
  readonly history: Int16Array;
  readonly results: Int16Array;
  readonly #coefficients: Float64Array;

  constructor(taps: PolyphaseTaps) {
    this.taps = taps;
    const fitting = Math.floor((RESULTS_MAX * taps.down) / taps.up);
    this.roomSamples = Math.max(1, Math.min(ROOM_SAMPLES, fitting));
    const { windowSamples, resultSamples } = workspaceSize(taps, this.roomSamples);
    this.window = new Int16Array(windowSamples);
    this.history = this.window.subarray(0, taps.length - 1);
    this.results = new Int16Array(resultSamples);
    this.#coefficients = Float64Array.from(taps.coefficients, (value) => {
      return value / 2 ** COEFFICIENT_BITS;
    });
  }

  row(phase: number, start: number, index: number, count: number): void {
    const { up, down } = this.taps;
    for (let done = 0; done < count; done += BLOCK_OUTPUTS) {
      this.#block(phase, start + done * down, index + done * up);
    }
  }

  /** Four outputs at once: each coefficient is read once for four products. */
  #block(phase: number, start: number, index: number): void {
    const { up, down, length } = this.taps;
    const coefficients = this.#coefficients;
    const samples = this.window;
    const second = start + down;
    const third = second + down;
    const fourth = third + down;
    const row = phase * length;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let tap = 0; tap < length; tap += 1) {
      const coefficient = coefficients[row + tap] as number;
      a += (samples[start + tap] as number) * coefficient;
      b += (samples[second + tap] as number) * coefficient;
      c += (samples[third + tap] as number) * coefficient;
      d += (samples[fourth + tap] as number) * coefficient;
    }
    const results = this.results;
    results[index] = toSample(a);
    results[index + up] = toSample(b);
    results[index + 2 * up] = toSample(c);
    results[index + 3 * up] = toSample(d);
  }
}

/** Rounds and saturates: a sample that is too loud must clip, not wrap to the other sign. */
function toSample(value: number): number {
  if (value >= 32_767) return 32_767;
  if (value <= -32_768) return -32_768;
  return Math.floor(value + 0.5);
}
