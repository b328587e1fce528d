/** The values of a window that only moves forward, sorted; those at or below a limit left out. */
export class SortedWindow {
  readonly #values: Float64Array;
  readonly #limit: number;
  #sorted = new Float64Array(64);
  #count = 0;
  #from = 0;
  #to = 0;

  constructor(values: Float64Array, limit: number) {
    this.#values = values;
    this.#limit = limit;
  }

  /** Moves the window to [from, to), neither of which may lie before what it was. */
  moveTo(from: number, to: number): void {
    const end = Math.min(to, this.#values.length);
    for (; this.#to < end; this.#to += 1) this.#insert(this.#values[this.#to] as number);
    for (; this.#from < from; this.#from += 1) this.#remove(this.#values[this.#from] as number);
  }

  /** The value at `share` (0–1) of those in the window; `undefined` if there are none. */
  quantile(share: number): number | undefined {
    if (this.#count === 0) return undefined;
    return this.#sorted[Math.min(this.#count - 1, Math.floor(share * this.#count))];
  }

  #insert(value: number): void {
    if (value <= this.#limit) return;
    if (this.#count === this.#sorted.length) {
      const larger = new Float64Array(2 * this.#count);
      larger.set(this.#sorted);
      this.#sorted = larger;
    }
    const at = this.#place(value);
    this.#sorted.copyWithin(at + 1, at, this.#count);
    this.#sorted[at] = value;
    this.#count += 1;
  }

  #remove(value: number): void {
    if (value <= this.#limit) return;
    const at = this.#place(value);
    this.#sorted.copyWithin(at, at + 1, this.#count);
    this.#count -= 1;
  }

  /** Where the first value lies that is not below this one. */
  #place(value: number): number {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle] as number) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
