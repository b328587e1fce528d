import { assert, UsageError } from "../environment/index.ts";
import type { KaiserLowPass } from "./kaiser.ts";
import { PolyphaseFilter } from "./polyphase-filter.ts";
import type { PolyphaseKernel } from "./polyphase-kernel.ts";
import { polyphaseKernel } from "./polyphase-kernels.ts";

/** Between which rates, and how. */
export interface ResamplerOptions {
  readonly fromHz: number;
  readonly toHz: number;
  /**
   * `standard` (default): delay of 32 samples of the lower rate, 92 dB rejection at 1.05 of its
   * Nyquist frequency. `lowDelay`: 24 samples, 85 dB.
   */
  readonly profile?: "standard" | "lowDelay";
  /**
   * Whether to use WebAssembly SIMD where the machine has it; default true. Without it the output
   * is the same to the bit, several times as slow: for tests and comparisons.
   */
  readonly simd?: boolean;
}

interface Conversion {
  readonly fromHz: number;
  readonly toHz: number;
  readonly design: KaiserLowPass;
  readonly simd: boolean;
}

const PROFILES: Readonly<Record<"standard" | "lowDelay", KaiserLowPass>> = {
  standard: { halfLength: 32, beta: 9, cutoff: 0.94 },
  lowDelay: { halfLength: 24, beta: 8, cutoff: 0.94 },
};

/** Largest product of the reduced ratio's two sides: bounds the table (44.1 ↔ 16 kHz is 70 560). */
const RATIO_PRODUCT_MAX = 300_000;

/**
 * A streaming sample-rate converter: a polyphase low-pass filter with a Kaiser window.
 *
 * The output is later than the input by exactly `delayMs`, constant for the life of the resampler.
 * Any chunking of the input gives the same output. Steady state allocates nothing. It needs no
 * release: what is shared is shared by ratio, and the rest (a few hundred bytes) is collected.
 */
export class Resampler {
  /** Delay of the output against the input: 32 (or 24) samples of the lower rate; 0 if rates agree. */
  readonly delayMs: number;
  readonly #up: number;
  readonly #down: number;
  readonly #filter: PolyphaseFilter | undefined;

  /** @throws UsageError ERR_SAMPLE_RATE_UNSUPPORTED for rates that are no sensible ratio. */
  constructor(options: ResamplerOptions) {
    const { fromHz, toHz } = options;
    const design = PROFILES[options.profile ?? "standard"];
    const kernel = kernelFor({ fromHz, toHz, design, simd: options.simd ?? true });
    this.#up = kernel?.taps.up ?? 1;
    this.#down = kernel?.taps.down ?? 1;
    this.#filter = kernel === undefined ? undefined : new PolyphaseFilter(kernel);
    this.delayMs = kernel === undefined ? 0 : (design.halfLength / Math.min(fromHz, toHz)) * 1000;
  }

  /** The most samples that `process` may write for `inputSamples` samples of input. */
  outputLength(inputSamples: number): number {
    return Math.ceil((inputSamples * this.#up) / this.#down);
  }

  /**
   * Converts all of `input`; returns how many samples it wrote to `output`, which must have room
   * for `outputLength(input.length)`. What is too loud saturates.
   */
  process(input: Int16Array, output: Int16Array): number {
    assert(
      output.length >= this.outputLength(input.length),
      "the caller made room for outputLength(input.length) samples",
    );
    if (this.#filter !== undefined) return this.#filter.process(input, output);
    output.set(input);
    return input.length;
  }

  /** Forgets all input: the next output is as of a new resampler. */
  reset(): void {
    this.#filter?.reset();
  }
}

/**
 * Converts a whole recording. The output is aligned with the input (no delay), begins and ends
 * with it, and has `input.length · toHz / fromHz` samples, rounded.
 *
 * @throws UsageError ERR_SAMPLE_RATE_UNSUPPORTED for rates that are no sensible ratio.
 */
export function resample(input: Int16Array, fromHz: number, toHz: number): Int16Array {
  const design = PROFILES.standard;
  const kernel = kernelFor({ fromHz, toHz, design, simd: true });
  if (kernel === undefined) return input.slice();
  const { up, down } = kernel.taps;
  const delayTicks = design.halfLength * Math.max(up, down);
  let lead = 0;
  while ((delayTicks + lead * up) % down !== 0) lead += 1;
  const skip = (delayTicks + lead * up) / down;
  const length = Math.round((input.length * up) / down);
  const padded = new Int16Array(Math.ceil(((skip + length) * down) / up));
  padded.set(input, lead);
  const output = new Int16Array(Math.ceil((padded.length * up) / down));
  const written = new PolyphaseFilter(kernel).process(padded, output);
  assert(written >= skip + length, "the padding pushes the last sample out of the filter");
  return output.slice(skip, skip + length);
}

/** The kernel between two rates; `undefined` where they are equal. */
function kernelFor({ fromHz, toHz, design, simd }: Conversion): PolyphaseKernel | undefined {
  const divisor = greatestCommonDivisor(fromHz, toHz);
  const up = toHz / divisor;
  const down = fromHz / divisor;
  const areRates = [fromHz, toHz].every((rate) => Number.isSafeInteger(rate) && rate > 0);
  if (!areRates || up * down > RATIO_PRODUCT_MAX) {
    throw new UsageError(
      "ERR_SAMPLE_RATE_UNSUPPORTED",
      `Cannot convert from ${fromHz} Hz to ${toHz} Hz. Use whole rates with a small ratio, such as 8000, 16000, 24000 or 48000.`,
      { context: { fromHz, toHz } },
    );
  }
  return up === down ? undefined : polyphaseKernel({ up, down, design, simd });
}

function greatestCommonDivisor(a: number, b: number): number {
  return b > 0 ? greatestCommonDivisor(b, a % b) : a;
}
