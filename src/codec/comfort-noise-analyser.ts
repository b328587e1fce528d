import { levelOctet, reflectionOctet } from "./comfort-noise-payload.ts";
import { LinearPredictor } from "./linear-predictor.ts";

const BLOCK_MS = 20;
/** The noise is described as it was in this many last blocks: shorter than the hangover. */
const BLOCKS = 8;
const DEFAULT_ORDER = 10;
const FULL_SCALE = 32_768;

/** What a comfort noise analyser must know. */
export interface ComfortNoiseAnalyserOptions {
  readonly sampleRateHz: number;
  /** Reflection coefficients to send; default 10; 0 sends the level alone. */
  readonly order?: number;
}

/**
 * Describes the background noise of the last 160 ms for a payload of RFC 3389. It takes all audio;
 * after the 200 ms hangover of the `TransmissionSwitch` its window holds background alone.
 * Allocates nothing after construction.
 */
export class ComfortNoiseAnalyser {
  readonly #order: number;
  readonly #predictor: LinearPredictor;
  readonly #block: Float64Array;
  readonly #correlations: readonly Float64Array[];
  readonly #powers: Float64Array = new Float64Array(BLOCKS);
  readonly #sum: Float64Array;
  #filled = 0;
  #next = 0;
  #count = 0;

  constructor(options: ComfortNoiseAnalyserOptions) {
    this.#order = options.order ?? DEFAULT_ORDER;
    this.#block = new Float64Array(Math.round((BLOCK_MS * options.sampleRateHz) / 1000));
    this.#predictor = new LinearPredictor(this.#order, this.#block.length);
    this.#correlations = Array.from({ length: BLOCKS }, () => new Float64Array(this.#order + 1));
    this.#sum = new Float64Array(this.#order + 1);
  }

  /** Takes the next audio, of any length. */
  analyse(frame: Int16Array): void {
    for (let index = 0; index < frame.length; index += 1) {
      this.#block[this.#filled] = frame[index] as number;
      this.#filled += 1;
      if (this.#filled === this.#block.length) this.#endBlock();
    }
  }

  /**
   * Writes the payload and returns its length: the level, and as many coefficients as were asked
   * for and `output` has room for.
   */
  write(output: Uint8Array): number {
    this.#sum.fill(0);
    let power = 0;
    for (let block = 0; block < this.#count; block += 1) {
      power += (this.#powers[block] as number) / this.#count;
      const correlation = this.#correlations[block] as Float64Array;
      for (let lag = 0; lag <= this.#order; lag += 1) {
        this.#sum[lag] = (this.#sum[lag] as number) + (correlation[lag] as number);
      }
    }
    this.#predictor.solve(this.#sum);
    const order = Math.min(this.#order, output.length - 1);
    output[0] = levelOctet(10 * Math.log10(power / FULL_SCALE ** 2));
    for (let step = 1; step <= order; step += 1) {
      output[step] = reflectionOctet(this.#predictor.reflections[step] as number);
    }
    return 1 + order;
  }

  #endBlock(): void {
    const block = this.#block;
    let power = 0;
    for (let index = 0; index < block.length; index += 1) {
      power += (block[index] as number) ** 2;
    }
    this.#powers[this.#next] = power / block.length;
    const correlation = this.#correlations[this.#next] as Float64Array;
    correlation.fill(0);
    this.#predictor.correlate(block, 0, correlation);
    this.#filled = 0;
    this.#next = (this.#next + 1) % BLOCKS;
    this.#count = Math.min(BLOCKS, this.#count + 1);
  }
}
