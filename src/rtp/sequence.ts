import { assert } from "../environment/index.ts";

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
 * Extends 16-bit sequence numbers beyond their wrap and remembers which of the newest were seen,
 * one bit each.
 *
 * Extended numbers begin one cycle up, so that packets before the first one stay positive.
 */
export class SequenceTracker {
  readonly #seen: Uint32Array;
  readonly #window: number;
  #highest: number | undefined;

  /** @param windowPackets how far behind the highest number `has` still knows: a power of two ≥ 32. */
  constructor(windowPackets: number) {
    assert(
      windowPackets >= 32 && Number.isInteger(Math.log2(windowPackets)),
      "a power of two ≥ 32",
    );
    this.#window = windowPackets;
    this.#seen = new Uint32Array(windowPackets / 32);
  }

  /** The highest extended number seen. */
  get highest(): number | undefined {
    return this.#highest;
  }

  /** Forgets everything: another source begins. */
  reset(): void {
    this.#seen.fill(0);
    this.#highest = undefined;
  }

  /** The extended number nearest to the highest one; changes nothing. */
  extend(sequenceNumber: number): number {
    if (this.#highest === undefined) return sequenceNumber + SEQUENCE_CYCLE;
    return this.#highest + sequenceDistance(this.#highest & 0xffff, sequenceNumber);
  }

  /** Notes that this extended number came; false where it had come, or is too old to be known. */
  mark(extended: number): boolean {
    this.#advance(extended);
    if (!this.#isInWindow(extended) || this.has(extended)) return false;
    const slot = extended & (this.#window - 1);
    this.#seen[slot >>> 5] = (this.#seen[slot >>> 5] as number) | (1 << (slot & 31));
    return true;
  }

  /** Whether this extended number came, as far back as the window reaches. */
  has(extended: number): boolean {
    if (!this.#isInWindow(extended)) return false;
    const slot = extended & (this.#window - 1);
    return (((this.#seen[slot >>> 5] as number) >>> (slot & 31)) & 1) === 1;
  }

  /** How many numbers from `first` to `last`, both included, came. */
  count(first: number, last: number): number {
    let count = 0;
    for (let extended = first; extended <= last; extended += 1) {
      if (this.has(extended)) count += 1;
    }
    return count;
  }

  #isInWindow(extended: number): boolean {
    const highest = this.#highest;
    return highest !== undefined && extended <= highest && extended > highest - this.#window;
  }

  /** Makes room for a new highest number: what leaves the window is forgotten. */
  #advance(extended: number): void {
    const highest = this.#highest ?? extended;
    this.#highest = Math.max(highest, extended);
    if (extended - highest >= this.#window) {
      this.#seen.fill(0);
      return;
    }
    for (let next = highest + 1; next <= extended; next += 1) {
      const slot = next & (this.#window - 1);
      this.#seen[slot >>> 5] = (this.#seen[slot >>> 5] as number) & ~(1 << (slot & 31));
    }
  }
}
