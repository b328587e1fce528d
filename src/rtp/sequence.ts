/** Steps from one 16-bit sequence number to another, in [-32768, 32767] (RFC 1982 sense). */
export function sequenceDistance(from: number, to: number): number {
  return ((to - from) << 16) >> 16;
}

/** Ticks from one 32-bit RTP timestamp to another, in [-2^31, 2^31). */
export function timestampDistance(from: number, to: number): number {
  return (to - from) | 0;
}

const SEQUENCE_CYCLE = 0x1_0000;

/**
 * Extends 16-bit sequence numbers beyond their wrap and remembers which of the newest were seen.
 *
 * Extended numbers begin one cycle up, so that packets before the first one stay positive.
 */
export class SequenceTracker {
  readonly #seen: Float64Array;
  #highest: number | undefined;

  /** @param windowPackets how far behind the highest number `has` still knows. */
  constructor(windowPackets: number) {
    this.#seen = new Float64Array(windowPackets).fill(-1);
  }

  /** The highest extended number seen. */
  get highest(): number | undefined {
    return this.#highest;
  }

  /** Forgets everything: another source begins. */
  reset(): void {
    this.#seen.fill(-1);
    this.#highest = undefined;
  }

  /** The extended number nearest to the highest one; changes nothing. */
  extend(sequenceNumber: number): number {
    if (this.#highest === undefined) return sequenceNumber + SEQUENCE_CYCLE;
    return this.#highest + sequenceDistance(this.#highest & 0xffff, sequenceNumber);
  }

  /** Notes that this extended number came; false where it had come before. */
  mark(extended: number): boolean {
    if (this.has(extended)) return false;
    const highest = this.#highest ?? extended;
    if (extended > highest - this.#seen.length) this.#seen[this.#slot(extended)] = extended;
    this.#highest = Math.max(highest, extended);
    return true;
  }

  /** Whether this extended number came, as far back as the window reaches. */
  has(extended: number): boolean {
    return this.#seen[this.#slot(extended)] === extended;
  }

  /** How many numbers from `first` to `last`, both included, did not come. */
  countMissing(first: number, last: number): number {
    let missing = 0;
    for (let extended = first; extended <= last; extended += 1) {
      if (!this.has(extended)) missing += 1;
    }
    return missing;
  }

  #slot(extended: number): number {
    const slot = extended % this.#seen.length;
    return slot < 0 ? slot + this.#seen.length : slot;
  }
}
