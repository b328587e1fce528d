import type { PolyphaseTaps } from "./polyphase-taps.ts";

/** Periods of output that the fast kernel computes at once. */
const BLOCK_PERIODS = 4;
/** Room for input between two moves of the history, in samples: makes the moves rare. */
const ROOM_SAMPLES = 4096;

/**
 * Runs a `PolyphaseTaps` over a stream of samples.
 *
 * Each output is summed in the same order whether it is computed alone or in a block, so that any
 * chunking of the input gives the same output to the bit. It allocates nothing after construction.
 */
export class PolyphaseFilter {
  readonly #taps: PolyphaseTaps;
  /** The dealt-out input: `down` streams of `#stride` samples, each contiguous. */
  readonly #history: Float64Array;
  readonly #stride: number;
  readonly #sums: Float64Array = new Float64Array(BLOCK_PERIODS);
  /** Where the next input goes: period (index in the history) and stream. */
  #inputPeriod = 0;
  #inputStream = 0;
  /** The next output: period (index in the history) and phase. */
  #outputPeriod = 0;
  #outputPhase = 0;

  constructor(taps: PolyphaseTaps) {
    this.#taps = taps;
    const room = Math.max(2 * BLOCK_PERIODS, Math.ceil(ROOM_SAMPLES / taps.down));
    this.#stride = taps.tapsPerStream - 1 + room;
    this.#history = new Float64Array(taps.down * this.#stride);
    this.reset();
  }

  /** Forgets all input: as new. */
  reset(): void {
    this.#history.fill(0);
    this.#inputPeriod = this.#taps.tapsPerStream - 1;
    this.#inputStream = 0;
    this.#outputPeriod = this.#inputPeriod;
    this.#outputPhase = 0;
  }

  /** Takes all of `input` and writes what became computable to `output`; returns how much. */
  process(input: Int16Array, output: Int16Array): number {
    let read = 0;
    let written = 0;
    while (read < input.length) {
      if (this.#inputPeriod === this.#stride) this.#moveHistory();
      read += this.#deal(input, read);
      written = this.#produce(output, written);
    }
    return written;
  }

  /** Deals out as much input as there is room for; returns how much. */
  #deal(input: Int16Array, from: number): number {
    const history = this.#history;
    const stride = this.#stride;
    const down = this.#taps.down;
    let period = this.#inputPeriod;
    let stream = this.#inputStream;
    let index = from;
    while (index < input.length && period < stride) {
      history[stream * stride + period] = input[index] as number;
      index += 1;
      stream += 1;
      if (stream === down) {
        stream = 0;
        period += 1;
      }
    }
    this.#inputPeriod = period;
    this.#inputStream = stream;
    return index - from;
  }

  /** Computes every output whose newest input is here. */
  #produce(output: Int16Array, from: number): number {
    const { up, down, newestInput } = this.#taps;
    const available = this.#inputPeriod * down + this.#inputStream;
    const lastInput = newestInput[up - 1] as number;
    let written = from;
    for (;;) {
      const start = this.#outputPeriod * down;
      const needed = start + (newestInput[this.#outputPhase] as number);
      if (needed >= available) return written;
      const blockEnd = start + (BLOCK_PERIODS - 1) * down + lastInput;
      if (this.#outputPhase === 0 && blockEnd < available) {
        this.#produceBlock(output, written);
        written += BLOCK_PERIODS * up;
      } else {
        output[written] = this.#produceOne();
        written += 1;
      }
    }
  }

  /** Four whole periods at once: each coefficient is read once for four outputs. */
  #produceBlock(output: Int16Array, from: number): void {
    const { up, down, tapsPerStream } = this.#taps;
    const sums = this.#sums;
    const oldest = this.#outputPeriod - tapsPerStream + 1;
    for (let phase = 0; phase < up; phase += 1) {
      sums.fill(0);
      for (let stream = 0; stream < down; stream += 1) {
        const start = stream * this.#stride + oldest;
        const row = (phase * down + stream) * tapsPerStream;
        this.#addFour(start, row);
      }
      for (let period = 0; period < BLOCK_PERIODS; period += 1) {
        output[from + period * up + phase] = toSample(sums[period] as number);
      }
    }
    this.#outputPeriod += BLOCK_PERIODS;
  }

  /**
   * Adds to four sums the dot products of one row of taps with four windows, each one period on.
   * The windows overlap, so seven samples in registers serve sixteen products: about three times
   * as fast in V8 as one sum at a time.
   */
  #addFour(start: number, row: number): void {
    const sums = this.#sums;
    const samples = this.#history;
    const { coefficients, tapsPerStream } = this.#taps;
    const rowEnd = row + tapsPerStream;
    let a = sums[0] as number;
    let b = sums[1] as number;
    let c = sums[2] as number;
    let d = sums[3] as number;
    let x0 = samples[start] as number;
    let x1 = samples[start + 1] as number;
    let x2 = samples[start + 2] as number;
    for (let tap = row, at = start + 3; tap < rowEnd; tap += 4, at += 4) {
      const h0 = coefficients[tap] as number;
      const h1 = coefficients[tap + 1] as number;
      const h2 = coefficients[tap + 2] as number;
      const h3 = coefficients[tap + 3] as number;
      const x3 = samples[at] as number;
      const x4 = samples[at + 1] as number;
      const x5 = samples[at + 2] as number;
      const x6 = samples[at + 3] as number;
      a = a + x0 * h0 + x1 * h1 + x2 * h2 + x3 * h3;
      b = b + x1 * h0 + x2 * h1 + x3 * h2 + x4 * h3;
      c = c + x2 * h0 + x3 * h1 + x4 * h2 + x5 * h3;
      d = d + x3 * h0 + x4 * h1 + x5 * h2 + x6 * h3;
      x0 = x4;
      x1 = x5;
      x2 = x6;
    }
    sums[0] = a;
    sums[1] = b;
    sums[2] = c;
    sums[3] = d;
  }

  #produceOne(): number {
    const { up, down, tapsPerStream, coefficients } = this.#taps;
    const oldest = this.#outputPeriod - tapsPerStream + 1;
    let sum = 0;
    for (let stream = 0; stream < down; stream += 1) {
      const start = stream * this.#stride + oldest;
      const row = (this.#outputPhase * down + stream) * tapsPerStream;
      for (let tap = 0; tap < tapsPerStream; tap += 1) {
        sum += (this.#history[start + tap] as number) * (coefficients[row + tap] as number);
      }
    }
    this.#outputPhase += 1;
    if (this.#outputPhase === up) {
      this.#outputPhase = 0;
      this.#outputPeriod += 1;
    }
    return toSample(sum);
  }

  /** Moves what is still needed to the front of each stream. */
  #moveHistory(): void {
    const shift = this.#outputPeriod - this.#taps.tapsPerStream + 1;
    const stride = this.#stride;
    for (let stream = 0; stream < this.#taps.down; stream += 1) {
      const start = stream * stride;
      this.#history.copyWithin(start, start + shift, start + stride);
    }
    this.#outputPeriod -= shift;
    this.#inputPeriod -= shift;
  }
}

/** Rounds and saturates: a sample that is too loud must clip, not wrap to the other sign. */
function toSample(value: number): number {
  if (value >= 32_767) return 32_767;
  if (value <= -32_768) return -32_768;
  return Math.round(value);
}
