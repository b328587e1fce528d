/** Enough for 40 ms of G.711; a slot grows once where a sender packs more. */
const INITIAL_BYTES = 320;

/** A place that keeps a copy of one payload, and is used again for the next without allocation. */
export class PayloadSlot {
  #storage: Uint8Array = new Uint8Array(INITIAL_BYTES);
  #payload: Uint8Array = this.#storage.subarray(0, 0);

  /** The copy; valid until the next `store`. */
  get payload(): Uint8Array {
    return this.#payload;
  }

  /** Copies `payload` in and returns the copy. */
  store(payload: Uint8Array): Uint8Array {
    if (payload.length > this.#storage.length) {
      this.#storage = new Uint8Array(payload.length);
      this.#payload = this.#storage;
    } else if (payload.length !== this.#payload.length) {
      this.#payload = this.#storage.subarray(0, payload.length);
    }
    this.#payload.set(payload);
    return this.#payload;
  }
}
