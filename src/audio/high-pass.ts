/**
 * A second-order Butterworth high-pass filter: takes away DC, hum and handling noise, which carry
 * energy but no speech. Keeps its state from block to block.
 */
export class HighPass {
  readonly #b0: number;
  readonly #a1: number;
  readonly #a2: number;
  #x1 = 0;
  #x2 = 0;
  #y1 = 0;
  #y2 = 0;

  constructor(cutoffHz: number, sampleRateHz: number) {
    const warped = Math.tan((Math.PI * cutoffHz) / sampleRateHz);
    const norm = 1 / (1 + Math.SQRT2 * warped + warped * warped);
    this.#b0 = norm;
    this.#a1 = 2 * (warped * warped - 1) * norm;
    this.#a2 = (1 - Math.SQRT2 * warped + warped * warped) * norm;
  }

  /** The next output sample. */
  filter(sample: number): number {
    const difference = sample - 2 * this.#x1 + this.#x2;
    const output = this.#b0 * difference - this.#a1 * this.#y1 - this.#a2 * this.#y2;
    this.#x2 = this.#x1;
    this.#x1 = sample;
    this.#y2 = this.#y1;
    this.#y1 = output;
    return output;
  }
}

/** The whole of a recording, filtered; same length. */
export function highPassed(
  samples: Int16Array,
  cutoffHz: number,
  sampleRateHz: number,
): Float64Array {
  const filter = new HighPass(cutoffHz, sampleRateHz);
  const output = new Float64Array(samples.length);
  for (let index = 0; index < samples.length; index += 1) {
    output[index] = filter.filter(samples[index] as number);
  }
  return output;
}
