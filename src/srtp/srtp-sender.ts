import type { Cryptography } from "../environment/index.ts";
import { createPacketCipher } from "./create-packet-cipher.ts";
import { assertKeys, MKI_BYTES_MAX, type SrtpKeys } from "./keys.ts";
import type { PacketCipher } from "./packet-cipher.ts";
import {
  emptyFrame,
  RTCP_WORD_BYTES,
  readRtcpFrame,
  readRtpFrame,
  sequenceOf,
  setRtpIndex,
  writeUint32,
} from "./packet-frame.ts";
import { estimateIndex } from "./packet-index.ts";
import { SRTP_REJECTION } from "./rejection.ts";
import { Sources } from "./sources.ts";

const TAG_BYTES_MAX = 16;
const RTP_INDEX_SPAN = 2 ** 48;
const RTCP_INDEX_SPAN = 2 ** 31;
const ENCRYPTED_BIT = 2 ** 31;

/**
 * Protects what one side of a session sends (RFC 3711 §3.3, §3.4; RFC 7714). One object serves as
 * long as its keys do: a second one for the same keys would use keystream twice.
 */
export class SrtpSender {
  /** An output of this many bytes more than its packet is long enough, whatever the keys. */
  static readonly overheadBytes: number = TAG_BYTES_MAX + RTCP_WORD_BYTES + MKI_BYTES_MAX;
  readonly #rtp: PacketCipher;
  readonly #rtcp: PacketCipher;
  readonly #mki: Uint8Array;
  readonly #sources = new Sources();
  readonly #frame = emptyFrame();
  #nextRtcpIndex = 0;

  constructor(keys: SrtpKeys, cryptography: Cryptography) {
    assertKeys(keys);
    this.#rtp = createPacketCipher(keys, "rtp", cryptography);
    this.#rtcp = createPacketCipher(keys, "rtcp", cryptography);
    this.#mki = new Uint8Array(keys.mki ?? []);
  }

  /**
   * Writes `packet` (RTP) protected to `output`, which may be the same memory.
   *
   * The sequence numbers of a source must begin below 2¹⁵, else a receiver that misses the first
   * packets before a wrap never finds its count (RFC 3711 §3.3.1).
   *
   * @returns its length, or an `SrtpRejection`: `replayed` or `tooOld` where the sequence number was
   * sent before (its keystream would reveal both packets), `malformed`, `tooManySources`,
   * `keyExhausted`.
   */
  protectRtp(packet: Uint8Array, output: Uint8Array): number {
    const frame = this.#frame;
    const isRoomy = output.length >= packet.length + this.#rtp.tagBytes + this.#mki.length;
    if (!isRoomy || !readRtpFrame(packet, packet.length, frame)) return SRTP_REJECTION.malformed;
    const window = this.#sources.windowOf(frame.ssrc);
    const index = estimateIndex(window.highest, sequenceOf(packet));
    if (index >= RTP_INDEX_SPAN) return SRTP_REJECTION.keyExhausted;
    const refused = window.check(index);
    if (refused !== 0) return refused;
    if (!this.#sources.hasRoomFor(frame.ssrc)) return SRTP_REJECTION.tooManySources;
    this.#sources.accept(frame.ssrc, index);
    setRtpIndex(frame, index);
    return this.#seal(this.#rtp, 0, packet, output);
  }

  /**
   * Writes `packet` (compound RTCP) protected to `output`, which may be the same memory.
   * @returns its length, or an `SrtpRejection`: `malformed`, `keyExhausted`.
   */
  protectRtcp(packet: Uint8Array, output: Uint8Array): number {
    const frame = this.#frame;
    const overhead = this.#rtcp.tagBytes + this.#mki.length + RTCP_WORD_BYTES;
    const isRoomy = output.length >= packet.length + overhead;
    if (!isRoomy || !readRtcpFrame(packet, packet.length, frame)) return SRTP_REJECTION.malformed;
    if (this.#nextRtcpIndex >= RTCP_INDEX_SPAN) return SRTP_REJECTION.keyExhausted;
    frame.index = this.#nextRtcpIndex;
    frame.word = ENCRYPTED_BIT + frame.index;
    this.#nextRtcpIndex += 1;
    return this.#seal(this.#rtcp, RTCP_WORD_BYTES, packet, output);
  }

  /** The fields behind the body: tag, word, MKI with GCM; word, MKI, tag else. */
  #seal(cipher: PacketCipher, wordBytes: number, packet: Uint8Array, output: Uint8Array): number {
    const frame = this.#frame;
    const wordOffset = frame.bodyEnd + (cipher.isTagBehindBody ? cipher.tagBytes : 0);
    const mkiOffset = wordOffset + wordBytes;
    const mkiEnd = mkiOffset + this.#mki.length;
    cipher.seal(frame, packet, output, cipher.isTagBehindBody ? frame.bodyEnd : mkiEnd);
    if (wordBytes > 0) writeUint32(output, wordOffset, frame.word);
    if (mkiEnd > mkiOffset) output.set(this.#mki, mkiOffset);
    return cipher.isTagBehindBody ? mkiEnd : mkiEnd + cipher.tagBytes;
  }
}
