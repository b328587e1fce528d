import type { Cryptography, HmacSha1 } from "../environment/index.ts";
import { CounterMode } from "./counter-mode.ts";
import type { PacketCipher } from "./packet-cipher.ts";
import { type PacketFrame, writeUint32 } from "./packet-frame.ts";
import type { SessionKeys } from "./session-keys.ts";

const DIGEST_BYTES = 20;
const WORD_BYTES = 4;

/**
 * AES in counter mode with a shortened HMAC-SHA1 (RFC 3711 §4.1.1 and §4.2). The tag covers the
 * packet as sent, without the MKI, and the frame's word: for RTP the rollover count, which is not
 * sent; for RTCP the E bit and the index, which stand behind the body anyway.
 */
export class CounterModeCipher implements PacketCipher {
  readonly tagBytes: number;
  readonly isTagBehindBody = false;
  readonly #counterMode: CounterMode;
  readonly #hmac: HmacSha1;
  readonly #cryptography: Cryptography;
  readonly #digest: Uint8Array = new Uint8Array(DIGEST_BYTES);
  readonly #expectedTag: Uint8Array;
  readonly #receivedTag: Uint8Array;
  readonly #word: Uint8Array = new Uint8Array(WORD_BYTES);

  constructor(tagBytes: number, keys: SessionKeys, cryptography: Cryptography) {
    this.tagBytes = tagBytes;
    this.#counterMode = new CounterMode(cryptography.aesBlocks(keys.cipherKey), keys.salt);
    this.#hmac = cryptography.hmacSha1(keys.authenticationKey);
    this.#cryptography = cryptography;
    this.#expectedTag = this.#digest.subarray(0, tagBytes);
    this.#receivedTag = new Uint8Array(tagBytes);
  }

  seal(frame: PacketFrame, packet: Uint8Array, output: Uint8Array, tagOffset: number): void {
    copyClearPart(frame, packet, output);
    this.#counterMode.apply(frame, packet, output);
    this.#authenticate(frame, output);
    output.set(this.#expectedTag, tagOffset);
  }

  open(frame: PacketFrame, data: Uint8Array, output: Uint8Array, tagOffset: number): boolean {
    this.#authenticate(frame, data);
    for (let index = 0; index < this.tagBytes; index += 1) {
      this.#receivedTag[index] = data[tagOffset + index] as number;
    }
    if (!this.#cryptography.timingSafeEqual(this.#expectedTag, this.#receivedTag)) return false;
    copyClearPart(frame, data, output);
    this.#counterMode.apply(frame, data, output);
    return true;
  }

  /** Leaves the tag of what is sent in `#expectedTag`. */
  #authenticate(frame: PacketFrame, sent: Uint8Array): void {
    writeUint32(this.#word, 0, frame.word);
    this.#hmac.digest(sent.subarray(0, frame.bodyEnd), this.#word, this.#digest);
  }
}

function copyClearPart(frame: PacketFrame, from: Uint8Array, to: Uint8Array): void {
  for (let index = 0; index < frame.bodyStart; index += 1) to[index] = from[index] as number;
}
