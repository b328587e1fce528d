import { UsageError } from "../environment/index.ts";
import { DTMF_RATE_HZ } from "./dtmf-spectrum.ts";

/** The greatest number of samples that `DtmfDecimator` takes at a time: 20 ms at 48 kHz. */
export const DECIMATOR_INPUT_MAX = 960;

/** Taps on each side of the middle, per input sample of an output sample. */
const SIDE_LOBES = 2;
/** Between the highest tone with its tolerance and where the highest alias of a tone begins. */
const CUTOFF_HZ = 3600;

/**
 * Brings audio to the 8 kHz at which DTMF is analysed, from a whole multiple of it. A short filter
 * will do: nothing up there that could be mirrored down is a pair of pure tones.
 */
export class DtmfDecimator {
  readonly factor: number;
  /** What a sample is late by, in samples of the input. */
  readonly delaySamples: number;
  readonly #taps: Float64Array;
  /** The inputs that the filter still needs, then the new ones. */
  readonly #inputs: Float64Array;
  #kept: number;

  /** @throws UsageError ERR_SAMPLE_RATE_UNSUPPORTED. */
  constructor(sampleRateHz: number) {
    this.factor = sampleRateHz / DTMF_RATE_HZ;
    if (!Number.isInteger(this.factor) || this.factor < 1) {
      throw new UsageError(
        "ERR_SAMPLE_RATE_UNSUPPORTED",
        `DTMF tones cannot be detected at ${sampleRateHz} Hz. Use a multiple of ${DTMF_RATE_HZ} Hz.`,
        { context: { sampleRateHz } },
      );
    }
    this.delaySamples = this.factor === 1 ? 0 : SIDE_LOBES * this.factor;
    this.#taps = lowPass(this.factor);
    this.#kept = this.#taps.length - 1;
    this.#inputs = new Float64Array(this.#kept + this.factor + DECIMATOR_INPUT_MAX);
  }

  /**
   * Takes `DECIMATOR_INPUT_MAX` samples at most, from `from` to `to`, and writes what they make.
   * @returns the number of samples written to `output`.
   */
  process(samples: Int16Array, from: number, to: number, output: Float64Array): number {
    if (this.factor === 1) return copied(samples, from, to, output);
    const inputs = this.#inputs;
    let available = this.#kept;
    for (let index = from; index < to; index += 1) {
      inputs[available] = samples[index] as number;
      available += 1;
    }
    const tapCount = this.#taps.length;
    let count = 0;
    let start = 0;
    for (; start + tapCount <= available; start += this.factor) {
      output[count] = this.#filtered(start);
      count += 1;
    }
    inputs.copyWithin(0, start, available);
    this.#kept = available - start;
    return count;
  }

  #filtered(start: number): number {
    const taps = this.#taps;
    const inputs = this.#inputs;
    const last = taps.length - 1;
    const half = last >> 1;
    // The filter is symmetric: half the multiplications.
    let sum = (taps[half] as number) * (inputs[start + half] as number);
    for (let index = 0; index < half; index += 1) {
      const pair = (inputs[start + index] as number) + (inputs[start + last - index] as number);
      sum += (taps[index] as number) * pair;
    }
    return sum;
  }

  /** What is left of the amplitude of a tone. */
  gain(frequencyHz: number): number {
    const omega = (2 * Math.PI * frequencyHz) / (DTMF_RATE_HZ * this.factor);
    const middle = (this.#taps.length - 1) / 2;
    return this.#taps.reduce(
      (sum, tap, index) => sum + tap * Math.cos(omega * (index - middle)),
      0,
    );
  }
}

// oxlint-disable-next-line max-params
function copied(samples: Int16Array, from: number, to: number, output: Float64Array): number {
  for (let index = from; index < to; index += 1) output[index - from] = samples[index] as number;
  return to - from;
}

/** A Hann-windowed sinc of unit gain at 0 Hz; a single tap where nothing has to be done. */
function lowPass(factor: number): Float64Array {
  if (factor === 1) return Float64Array.of(1);
  const middle = SIDE_LOBES * factor;
  const cutoff = (2 * CUTOFF_HZ) / (DTMF_RATE_HZ * factor);
  const taps = Float64Array.from({ length: 2 * middle + 1 }, (_, index) => {
    const x = cutoff * (index - middle);
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
    return sinc * (0.5 + 0.5 * Math.cos((Math.PI * (index - middle)) / (middle + 1)));
  });
  const sum = taps.reduce((total, tap) => total + tap, 0);
  return taps.map((tap) => tap / sum);
}
