interface Numbers {
  readonly length: number;
  [index: number]: number;
  set(from: ArrayLike<number>, at?: number): void;
  subarray(from: number, to: number): this;
}

const ROOM = 1024;

/** A typed array that grows. */
export class Column<Values extends Numbers> {
  readonly #make: new (
    length: number,
  ) => Values;
  #values: Values;
  #length = 0;

  constructor(make: new (length: number) => Values) {
    this.#make = make;
    this.#values = new make(ROOM);
  }

  add(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new this.#make(2 * this.#length);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  /** What was added so far; a view. */
  values(): Values {
    return this.#values.subarray(0, this.#length);
  }
}
