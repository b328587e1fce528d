import type { AesBlocks } from "../environment/index.ts";
import type { PacketFrame } from "./packet-frame.ts";

const BLOCK_BYTES = 16;
const CHUNK_BLOCKS = 64;
const CHUNK_BYTES = CHUNK_BLOCKS * BLOCK_BYTES;

/**
 * AES in counter mode as SRTP has it (RFC 3711 §4.1.1): the counter block is the salt, in which the
 * SSRC (bytes 4 to 7), the packet index (8 to 13) and the block's number (14 and 15) are mixed.
 */
export class CounterMode {
  readonly #aes: AesBlocks;
  readonly #salt: DataView;
  readonly #counters: Uint8Array = new Uint8Array(CHUNK_BYTES);
  readonly #countersView: DataView = new DataView(this.#counters.buffer);
  readonly #keystream: Uint8Array = new Uint8Array(CHUNK_BYTES);
  /** The first bytes of `#counters`, as many as last time: packets repeat one length. */
  #input: Uint8Array = this.#counters;

  /** @param salt has up to 14 bytes; zeros follow a shorter one (RFC 7714 §11). */
  constructor(aes: AesBlocks, salt: Uint8Array) {
    this.#aes = aes;
    const padded = new Uint8Array(BLOCK_BYTES);
    padded.set(salt);
    this.#salt = new DataView(padded.buffer);
  }

  /**
   * Encrypts or decrypts the body of a packet from `input` to the same place in `output`, which may
   * be the same memory. The frame's SSRC and index choose the keystream.
   */
  apply(frame: PacketFrame, input: Uint8Array, output: Uint8Array): void {
    const keystream = this.#keystream;
    for (let from = frame.bodyStart; from < frame.bodyEnd; from += CHUNK_BYTES) {
      const bytes = Math.min(frame.bodyEnd - from, CHUNK_BYTES);
      this.#fillKeystream(frame, (from - frame.bodyStart) / BLOCK_BYTES, bytes);
      for (let offset = 0; offset < bytes; offset += 1) {
        output[from + offset] = (input[from + offset] as number) ^ (keystream[offset] as number);
      }
    }
  }

  #fillKeystream(frame: PacketFrame, firstBlock: number, bytes: number): void {
    const view = this.#countersView;
    const salt = this.#salt;
    const word0 = salt.getUint32(0);
    const word1 = salt.getUint32(4) ^ frame.ssrc;
    const word2 = salt.getUint32(8) ^ Math.floor(frame.index / 0x1_0000);
    const word3 = salt.getUint32(12) ^ ((frame.index % 0x1_0000) << 16);
    const end = Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
    let block = firstBlock;
    for (let offset = 0; offset < end; offset += BLOCK_BYTES) {
      view.setUint32(offset, word0);
      view.setUint32(offset + 4, word1);
      view.setUint32(offset + 8, word2);
      view.setUint32(offset + 12, word3 ^ block);
      block += 1;
    }
    if (this.#input.length !== end) this.#input = this.#counters.subarray(0, end);
    this.#aes.encrypt(this.#input, this.#keystream);
  }
}
