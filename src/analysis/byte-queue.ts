/** Bytes that come in blocks, taken in the pieces that a format has. */
export class ByteQueue {
  readonly #blocks: AsyncIterator<Uint8Array>;
  #bytes: Uint8Array = new Uint8Array(0);
  #isAtEnd = false;
  #taken = 0;

  constructor(blocks: AsyncIterable<Uint8Array>) {
    this.#blocks = blocks[Symbol.asyncIterator]();
  }

  /** Bytes taken so far. */
  get taken(): number {
    return this.#taken;
  }

  /** Up to `count` bytes without taking them; fewer only at the end. */
  async peek(count: number): Promise<Uint8Array> {
    const pieces = [this.#bytes];
    let length = this.#bytes.length;
    while (length < count && !this.#isAtEnd) {
      // oxlint-disable-next-line no-await-in-loop -- each block comes after the one before it.
      const { done, value } = await this.#blocks.next();
      if (done === true) this.#isAtEnd = true;
      else {
        pieces.push(value);
        length += value.length;
      }
    }
    if (pieces.length > 1) this.#bytes = joined(pieces, length);
    return this.#bytes.subarray(0, count);
  }

  /** The next bytes, `count` or fewer at the end. */
  async take(count: number): Promise<Uint8Array> {
    const bytes = await this.peek(count);
    this.#bytes = this.#bytes.subarray(bytes.length);
    this.#taken += bytes.length;
    return bytes;
  }

  /** Leaves out `count` bytes; how many were there. */
  async skip(count: number): Promise<number> {
    let left = count;
    while (left > 0) {
      // oxlint-disable-next-line no-await-in-loop -- each block comes after the one before it.
      const { length } = await this.take(Math.min(left, SKIP_BYTES));
      if (length === 0) break;
      left -= length;
    }
    return count - left;
  }

  /** Reads no more. */
  async close(): Promise<void> {
    await this.#blocks.return?.();
  }
}

const SKIP_BYTES = 65_536;

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
