import type { Cryptography } from "../environment/index.ts";
import { createPacketCipher } from "./create-packet-cipher.ts";
import { assertKeys, type SrtpKeys } from "./keys.ts";
import type { PacketCipher } from "./packet-cipher.ts";
import {
  emptyFrame,
  RTCP_WORD_BYTES,
  readRtcpFrame,
  readRtpFrame,
  sequenceOf,
  setRtpIndex,
  uint32At,
} from "./packet-frame.ts";
import { estimateIndex } from "./packet-index.ts";
import { rejectionName, SRTP_REJECTION } from "./rejection.ts";
import { Sources } from "./sources.ts";
import { emptyCounts, type MutableSrtpCounts, type SrtpCounts } from "./srtp-counts.ts";

const RTP_INDEX_SPAN = 2 ** 48;
const ENCRYPTED_BIT = 2 ** 31;

/**
 * Checks and decrypts what one side of a session receives (RFC 3711 §3.3, §3.4; RFC 7714). Whatever
 * arrives, nothing throws: what is refused is counted by reason. Nothing but an authentic packet
 * changes its state.
 */
export class SrtpReceiver {
  readonly #rtp: PacketCipher;
  readonly #rtcp: PacketCipher;
  readonly #mki: Uint8Array;
  readonly #rtpSources = new Sources();
  readonly #rtcpSources = new Sources();
  readonly #rtpCounts = emptyCounts();
  readonly #rtcpCounts = emptyCounts();
  readonly #frame = emptyFrame();

  constructor(keys: SrtpKeys, cryptography: Cryptography) {
    assertKeys(keys);
    this.#rtp = createPacketCipher(keys, "rtp", cryptography);
    this.#rtcp = createPacketCipher(keys, "rtcp", cryptography);
    this.#mki = new Uint8Array(keys.mki ?? []);
  }

  /** What became of the RTP so far. */
  get counts(): SrtpCounts {
    return this.#rtpCounts;
  }

  /** What became of the RTCP so far. */
  get rtcpCounts(): SrtpCounts {
    return this.#rtcpCounts;
  }

  /**
   * Writes the RTP packet that `data` protects to `output`, which may be the same memory and must
   * not be shorter than that packet.
   * @returns the packet's length, or why it was refused (what `output` holds is undefined then).
   */
  unprotectRtp(data: Uint8Array, output: Uint8Array): number {
    const result = this.#openRtp(data, output);
    return count(this.#rtpCounts, result);
  }

  /** As `unprotectRtp`, for SRTCP. */
  unprotectRtcp(data: Uint8Array, output: Uint8Array): number {
    const result = this.#openRtcp(data, output);
    return count(this.#rtcpCounts, result);
  }

  #openRtp(data: Uint8Array, output: Uint8Array): number {
    const frame = this.#frame;
    const bodyEnd = data.length - this.#rtp.tagBytes - this.#mki.length;
    if (bodyEnd > output.length || !readRtpFrame(data, bodyEnd, frame)) {
      return SRTP_REJECTION.malformed;
    }
    const window = this.#rtpSources.windowOf(frame.ssrc);
    const index = estimateIndex(window.highest, sequenceOf(data));
    if (index >= RTP_INDEX_SPAN) return SRTP_REJECTION.keyExhausted;
    const refused = window.check(index);
    if (refused !== 0) return refused;
    setRtpIndex(frame, index);
    return this.#open(this.#rtp, this.#rtpSources, data, output);
  }

  #openRtcp(data: Uint8Array, output: Uint8Array): number {
    const frame = this.#frame;
    const { tagBytes, isTagBehindBody } = this.#rtcp;
    const bodyEnd = data.length - tagBytes - this.#mki.length - RTCP_WORD_BYTES;
    if (bodyEnd > output.length || !readRtcpFrame(data, bodyEnd, frame)) {
      return SRTP_REJECTION.malformed;
    }
    frame.word = uint32At(data, bodyEnd + (isTagBehindBody ? tagBytes : 0));
    if (frame.word < ENCRYPTED_BIT) return SRTP_REJECTION.unencrypted;
    frame.index = frame.word - ENCRYPTED_BIT;
    const refused = this.#rtcpSources.windowOf(frame.ssrc).check(frame.index);
    if (refused !== 0) return refused;
    return this.#open(this.#rtcp, this.#rtcpSources, data, output);
  }

  #open(cipher: PacketCipher, sources: Sources, data: Uint8Array, output: Uint8Array): number {
    const frame = this.#frame;
    // GCM: body, tag, word, MKI. Else: body, word, MKI, tag.
    const mkiEnd = data.length - (cipher.isTagBehindBody ? 0 : cipher.tagBytes);
    if (!this.#isOurMki(data, mkiEnd - this.#mki.length)) return SRTP_REJECTION.unknownKey;
    const tagOffset = cipher.isTagBehindBody ? frame.bodyEnd : mkiEnd;
    if (!cipher.open(frame, data, output, tagOffset)) return SRTP_REJECTION.authenticationFailed;
    if (!sources.hasRoomFor(frame.ssrc)) return SRTP_REJECTION.tooManySources;
    sources.accept(frame.ssrc, frame.index);
    return frame.bodyEnd;
  }

  #isOurMki(data: Uint8Array, offset: number): boolean {
    return this.#mki.every((byte, index) => data[offset + index] === byte);
  }
}

function count(counts: MutableSrtpCounts, result: number): number {
  counts[rejectionName(result) ?? "accepted"] += 1;
  return result;
}
