import type { PolyphaseKernel } from "./polyphase-kernel.ts";

/**
 * Runs a polyphase filter over a stream of samples.
 *
 * Its state is the last samples of the input and the time of the next output; all else is in the
 * kernel, which many filters share. Any chunks of the input give the same output to the bit. After
 * construction it allocates nothing but views.
 */
export class PolyphaseFilter {
  readonly #kernel: PolyphaseKernel;
  readonly #history: Int16Array;
  /** The time of the next output after the next input sample, in input samples times `up`. */
  #time = 0;

  constructor(kernel: PolyphaseKernel) {
    this.#kernel = kernel;
    this.#history = new Int16Array(kernel.history.length);
  }

  /** Forgets all input: as new. */
  reset(): void {
    this.#history.fill(0);
    this.#time = 0;
  }

  /** Takes all of `input` and writes what became computable to `output`; returns how much. */
  process(input: Int16Array, output: Int16Array): number {
    const { taps, roomSamples } = this.#kernel;
    let written = 0;
    for (let read = 0; read < input.length; read += roomSamples) {
      const length = Math.min(input.length - read, roomSamples);
      const untilEnd = length * taps.up - this.#time;
      const count = Math.max(0, Math.ceil(untilEnd / taps.down));
      this.#load(input, read, length);
      this.#compute(count);
      this.#keep(length);
      this.#copyResults(output, written, count);
      this.#time = count * taps.down - untilEnd;
      written += count;
    }
    return written;
  }

  /** Puts history and new input side by side. */
  #load(input: Int16Array, from: number, length: number): void {
    const { window } = this.#kernel;
    const historyLength = this.#history.length;
    window.set(this.#history);
    const isWhole = length === input.length;
    window.set(isWhole ? input : input.subarray(from, from + length), historyLength);
  }

  /** Computes `count` results, phase by phase. */
  #compute(count: number): void {
    const { up, down } = this.#kernel.taps;
    const rows = Math.min(up, count);
    for (let index = 0; index < rows; index += 1) {
      const time = this.#time + index * down;
      const phase = time % up;
      this.#kernel.row(phase, (time - phase) / up, index, Math.ceil((count - index) / up));
    }
  }

  /** Keeps what the next outputs need: the newest samples. */
  #keep(length: number): void {
    const { window, history } = this.#kernel;
    window.copyWithin(0, length, length + history.length);
    this.#history.set(history);
  }

  #copyResults(output: Int16Array, at: number, count: number): void {
    // A view costs less than to copy even a frame sample by sample.
    output.set(this.#kernel.results.subarray(0, count), at);
  }
}
