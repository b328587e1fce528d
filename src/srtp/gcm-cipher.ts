import type { AesGcm, Cryptography } from "../environment/index.ts";
import type { PacketCipher } from "./packet-cipher.ts";
import {
  type PacketFrame,
  RTCP_CLEAR_BYTES,
  RTCP_WORD_BYTES,
  writeUint32,
} from "./packet-frame.ts";
import type { SessionKeys } from "./session-keys.ts";

const IV_BYTES = 12;
const SEQUENCE_SPAN = 0x1_0000;

/**
 * AES-GCM (RFC 7714). The IV is the salt, in which the SSRC (bytes 2 to 5) and the index (6 to 11)
 * are mixed (§8.1, §9.1); the clear part is associated data, for RTCP with E bit and index behind
 * it.
 */
export class GcmCipher implements PacketCipher {
  readonly tagBytes = 16;
  readonly isTagBehindBody = true;
  readonly #gcm: AesGcm;
  readonly #kind: "rtp" | "rtcp";
  readonly #salt: DataView;
  readonly #iv: Uint8Array = new Uint8Array(IV_BYTES);
  readonly #ivView: DataView = new DataView(this.#iv.buffer);
  readonly #rtcpClearPart: Uint8Array = new Uint8Array(RTCP_CLEAR_BYTES + RTCP_WORD_BYTES);

  constructor(kind: "rtp" | "rtcp", keys: SessionKeys, cryptography: Cryptography) {
    this.#kind = kind;
    this.#gcm = cryptography.aesGcm(keys.cipherKey);
    this.#salt = new DataView(new Uint8Array(keys.salt).buffer);
  }

  seal(frame: PacketFrame, packet: Uint8Array, output: Uint8Array): void {
    this.#mixIv(frame);
    const body = packet.subarray(frame.bodyStart, frame.bodyEnd);
    const clear = this.#clearPart(frame, packet);
    this.#gcm.seal(this.#iv, clear, body, output.subarray(frame.bodyStart));
    for (let index = 0; index < frame.bodyStart; index += 1)
      output[index] = packet[index] as number;
  }

  open(frame: PacketFrame, data: Uint8Array, output: Uint8Array): boolean {
    this.#mixIv(frame);
    const sealed = data.subarray(frame.bodyStart, frame.bodyEnd + this.tagBytes);
    const clear = this.#clearPart(frame, data);
    if (!this.#gcm.open(this.#iv, clear, sealed, output.subarray(frame.bodyStart))) return false;
    for (let index = 0; index < frame.bodyStart; index += 1) output[index] = data[index] as number;
    return true;
  }

  #mixIv(frame: PacketFrame): void {
    const salt = this.#salt;
    const cycle = Math.floor(frame.index / SEQUENCE_SPAN);
    this.#ivView.setUint16(0, salt.getUint16(0));
    this.#ivView.setUint32(2, salt.getUint32(2) ^ frame.ssrc);
    this.#ivView.setUint32(6, salt.getUint32(6) ^ cycle);
    this.#ivView.setUint16(10, salt.getUint16(10) ^ (frame.index % SEQUENCE_SPAN));
  }

  #clearPart(frame: PacketFrame, data: Uint8Array): Uint8Array {
    if (this.#kind === "rtp") return data.subarray(0, frame.bodyStart);
    const clear = this.#rtcpClearPart;
    for (let index = 0; index < RTCP_CLEAR_BYTES; index += 1) clear[index] = data[index] as number;
    writeUint32(clear, RTCP_CLEAR_BYTES, frame.word);
    return clear;
  }
}
