import { assert } from "../environment/index.ts";

/** Storage grows in steps of this, so that payloads of changing length settle soon. */
const GRANULE_BYTES = 64;

/** A place that keeps a copy of one payload, and is used again for the next without allocation. */
export class PayloadSlot {
  #storage: Uint8Array = new Uint8Array(0);
  #length = 0;

  /** Bytes of the payload. */
  get length(): number {
    return this.#length;
  }

  /** Copies `payload` in. */
  store(payload: Uint8Array): void {
    this.#length = payload.length;
    if (payload.length > this.#storage.length) {
      this.#storage = new Uint8Array(Math.ceil(payload.length / GRANULE_BYTES) * GRANULE_BYTES);
    }
    this.#storage.set(payload);
  }

  /** Copies the payload to the beginning of `output`, which must have room. */
  copyTo(output: Uint8Array): void {
    assert(output.length >= this.#length, "the lender makes room");
    // A loop, because `set` would need a view of the right length: an allocation.
    for (let index = 0; index < this.#length; index += 1) {
      output[index] = this.#storage[index] as number;
    }
  }
}

/** Views of one payload length each; beyond so many lengths they are made when needed. */
const CACHED_LENGTHS_MAX = 256;

/**
 * Hands out payloads of any length as views of one storage, which are kept and used again: a
 * codec of variable rate would else cost a view per packet.
 */
export class PayloadLender {
  #storage: Uint8Array = new Uint8Array(0);
  readonly #views = new Map<number, Uint8Array>();

  /** The slot's payload, as a copy that is valid until the next call. */
  lend(slot: PayloadSlot): Uint8Array {
    if (slot.length > this.#storage.length) {
      this.#storage = new Uint8Array(Math.ceil(slot.length / GRANULE_BYTES) * GRANULE_BYTES);
      this.#views.clear();
    }
    slot.copyTo(this.#storage);
    const known = this.#views.get(slot.length);
    if (known !== undefined) return known;
    const view = this.#storage.subarray(0, slot.length);
    if (this.#views.size < CACHED_LENGTHS_MAX) this.#views.set(slot.length, view);
    return view;
  }
}
