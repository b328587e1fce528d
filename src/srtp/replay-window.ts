import { SRTP_REJECTION, type SrtpRejection } from "./rejection.ts";

/** 2.5 s of packets of 20 ms; RFC 3711 §3.3.2 asks for at least 64. */
const WINDOW_PACKETS = 128;
const WORD_BITS = 32;

/** Which of the newest packet indices were accepted (RFC 3711 §3.3.2). */
export class ReplayWindow {
  /** One bit per index, at index modulo the window's size. */
  readonly #bits = new Uint32Array(WINDOW_PACKETS / WORD_BITS);
  #highest = -1;

  /** The highest index accepted; -1 before the first. */
  get highest(): number {
    return this.#highest;
  }

  /** 0 where `index` (up to 48 bits) may be accepted. */
  check(index: number): 0 | SrtpRejection {
    if (index > this.#highest) return 0;
    if (index <= this.#highest - WINDOW_PACKETS) return SRTP_REJECTION.tooOld;
    return this.#has(index) ? SRTP_REJECTION.replayed : 0;
  }

  /** Notes an index that `check` let pass. Only once the packet is known to be authentic. */
  accept(index: number): void {
    if (index > this.#highest) this.#advance(index);
    const position = index % WINDOW_PACKETS;
    const word = position >>> 5;
    this.#bits[word] = (this.#bits[word] as number) | (1 << (position & 31));
  }

  #has(index: number): boolean {
    const position = index % WINDOW_PACKETS;
    return (((this.#bits[position >>> 5] as number) >>> (position & 31)) & 1) === 1;
  }

  /** Forgets the indices that fall out of the window. */
  #advance(index: number): void {
    if (index - this.#highest >= WINDOW_PACKETS) {
      this.#bits.fill(0);
    } else {
      for (let skipped = this.#highest + 1; skipped < index; skipped += 1) this.#clear(skipped);
      this.#clear(index);
    }
    this.#highest = index;
  }

  #clear(index: number): void {
    const position = index % WINDOW_PACKETS;
    const word = position >>> 5;
    this.#bits[word] = (this.#bits[word] as number) & ~(1 << (position & 31));
  }
}
