import { assert, present, UsageError } from "../environment/index.ts";
import { audioLine, refusedLine } from "./audio-line.ts";
import { concludeExchange } from "./conclude-exchange.ts";
import { type AgreedCrypto, CryptoExchange, cryptoAttribute } from "./crypto-exchange.ts";
import { type FoundAudio, findAudio } from "./find-audio.ts";
import { auxiliaryFormats, type MatchedFormats } from "./match-formats.ts";
import type { LocalFormat, MediaCapabilities } from "./media-capabilities.ts";
import { intersected, type MediaDirection, mirrored } from "./media-direction.ts";
import type { NegotiatedMedia } from "./negotiated-media.ts";
import { parseSdp } from "./parse.ts";
import { isNamed, type PayloadFormat, TELEPHONE_EVENT } from "./payload-format.ts";
import { PayloadNumbers, type SavedNumbers } from "./payload-numbers.ts";
import { rtcpAttributes } from "./rtcp-announcement.ts";
import { type DescriptionRole, malformedSdp } from "./sdp-faults.ts";
import type { MediaDescription, SdpAttribute, SessionDescription } from "./session-description.ts";
import { writeSdp } from "./write.ts";

/** What a call is to change; what is left out stays. */
export interface Reconfiguration {
  /** Ids of the codecs to allow, most preferred first; others are neither offered nor answered. */
  readonly codecs?: readonly string[];
  /** "sendonly" holds the peer. */
  readonly direction?: MediaDirection;
  readonly ptimeMs?: number;
}

/** The state of an exchange; for `OfferAnswer.restore` alone. */
export interface SavedExchange {
  readonly openOffer: readonly LocalFormat[] | undefined;
  readonly mediaLines: readonly MediaDescription[];
  readonly audioIndex: number;
  readonly version: number;
  readonly lastBody: string | undefined;
  readonly negotiated: NegotiatedMedia | undefined;
  readonly crypto: AgreedCrypto | undefined;
  readonly numbers: SavedNumbers;
}

interface Settings {
  readonly codecs: readonly LocalFormat[];
  readonly direction: MediaDirection;
  readonly ptimeMs: number;
}

/**
 * Offer/answer for one audio stream (RFC 3264), from either side and over re-offers.
 *
 * Other m-lines are refused with port 0 in their place. A call that throws changes nothing: what
 * was negotiated before stays in force.
 */
export class OfferAnswer {
  readonly #capabilities: MediaCapabilities;
  readonly #numbers: PayloadNumbers;
  readonly #crypto: CryptoExchange;
  /** What is wanted now, and what was wanted when an exchange last succeeded. */
  #settings: Settings;
  #settledSettings: Settings;
  /** The codecs of the offer that waits for its answer. */
  #openOffer: readonly LocalFormat[] | undefined;
  /** The m-lines of the session so far; later descriptions must repeat their number and order. */
  #mediaLines: readonly MediaDescription[] = [];
  #audioIndex = 0;
  #version: number;
  #lastBody: string | undefined;
  #negotiated: NegotiatedMedia | undefined;

  /** Called after each successful exchange, re-offers included. */
  onNegotiated: ((media: NegotiatedMedia) => void) | undefined;

  constructor(capabilities: MediaCapabilities) {
    const { codecs, srtp, sessionId, ptimeMs } = capabilities;
    assert(codecs.length > 0, "something must be able to be offered");
    assert(srtp.policy === "off" || srtp.offers.length > 0, "SRTP needs keys");
    this.#capabilities = capabilities;
    this.#numbers = new PayloadNumbers(capabilities);
    this.#crypto = new CryptoExchange(srtp);
    this.#settings = { codecs, direction: "sendrecv", ptimeMs };
    this.#settledSettings = this.#settings;
    this.#version = sessionId;
  }

  /** The result of the newest complete exchange. */
  get negotiated(): NegotiatedMedia | undefined {
    return this.#negotiated;
  }

  /**
   * Changes what is offered, and answered, from now on. It takes effect with the next exchange:
   * send `createOffer()` in a re-INVITE.
   * @throws UsageError ERR_CODEC_NOT_ENABLED for a codec that is not among the capabilities.
   */
  reconfigure(changes: Reconfiguration): void {
    const { codecs: ids, ...others } = changes;
    assert(ids === undefined || ids.length > 0, "something must be able to be offered");
    const codecs = ids?.map((id) => this.#codec(id)) ?? this.#settings.codecs;
    this.#settings = { ...this.#settings, ...others, codecs };
  }

  /** An offer, or a re-offer once something was negotiated (RFC 3264 §5, §8). */
  createOffer(): string {
    const { codecs, direction } = this.#settings;
    this.#openOffer = codecs;
    const offered = [...this.#inUseFirst(codecs), ...auxiliaryFormats(codecs, this.#capabilities)];
    const formats = offered.map((format) => this.#announced(format));
    return this.#describe(
      this.#audioLine(formats, direction, [
        ...rtcpAttributes(this.#capabilities, this.#capabilities.rtcp.mode === "mux"),
        ...this.#crypto.offerAttributes(),
      ]),
    );
  }

  /**
   * Takes an offer and returns the answer (RFC 3264 §6).
   * @throws RemoteError ERR_SDP_MALFORMED, ERR_SDP_NO_COMMON_CODEC, ERR_SRTP_NOT_ALLOWED,
   * ERR_SRTP_REQUIRED, ERR_SRTP_NO_COMMON_SUITE.
   */
  acceptOffer(offer: string): string {
    const session = parsed(offer, "offer");
    const found = this.#findAudio("offer", session, this.#settings.codecs);
    const { audio, matched } = found;
    this.#numbers.adopt(audio.formats, remoteFormats(matched));
    this.#mediaLines = session.media;
    this.#audioIndex = found.index;
    this.#openOffer = undefined;

    const direction = intersected(mirrored(audio.direction), this.#settings.direction);
    const line = present(session.media[found.index], "the line that was found is there");
    const answer = this.#describe(
      audio.isRefused ? refusedLine(line) : this.#answerLine(found, direction),
    );
    this.#settle(found, direction);
    return answer;
  }

  /**
   * Takes the answer to the newest offer (RFC 3264 §7).
   * @throws RemoteError ERR_SDP_MALFORMED, ERR_SDP_NO_COMMON_CODEC, ERR_SRTP_NOT_ALLOWED,
   * ERR_SRTP_DOWNGRADED, ERR_SRTP_MALFORMED.
   */
  acceptAnswer(answer: string): void {
    const offered = present(this.#openOffer, "an answer follows an offer");
    const found = this.#findAudio("answer", parsed(answer, "answer"), offered);
    this.#numbers.note(found.audio.formats);
    this.#openOffer = undefined;
    this.#settle(found, intersected(mirrored(found.audio.direction), this.#settings.direction));
  }

  /**
   * The peer refused the newest offer: all is as before it, and what `reconfigure` asked for is
   * forgotten (RFC 3261 §14.1).
   */
  withdrawOffer(): void {
    this.#openOffer = undefined;
    this.#settings = this.#settledSettings;
  }

  /**
   * What is open and agreed on now, to come back to: each fork of an INVITE answers the same offer.
   * What is wanted (`reconfigure`) is not part of it.
   */
  save(): SavedExchange {
    return {
      openOffer: this.#openOffer,
      mediaLines: this.#mediaLines,
      audioIndex: this.#audioIndex,
      version: this.#version,
      lastBody: this.#lastBody,
      negotiated: this.#negotiated,
      crypto: this.#crypto.agreed,
      numbers: this.#numbers.save(),
    };
  }

  /** Goes back to what `save` gave; what was agreed on then is announced again. */
  restore(saved: SavedExchange): void {
    this.#openOffer = saved.openOffer;
    this.#mediaLines = saved.mediaLines;
    this.#audioIndex = saved.audioIndex;
    this.#version = saved.version;
    this.#lastBody = saved.lastBody;
    this.#negotiated = saved.negotiated;
    this.#crypto.settle(saved.crypto);
    this.#numbers.restore(saved.numbers);
    if (saved.negotiated !== undefined) this.onNegotiated?.(saved.negotiated);
  }

  #findAudio(
    role: DescriptionRole,
    session: SessionDescription,
    codecs: readonly LocalFormat[],
  ): FoundAudio {
    const { telephoneEvents, comfortNoise, srtp, answerOrder = "offer" } = this.#capabilities;
    const order = role === "offer" ? answerOrder : "offer";
    return findAudio({
      role,
      session,
      codecs,
      match: { telephoneEvents, comfortNoise, order },
      srtp,
      crypto: this.#crypto,
      isCallUp: this.#negotiated !== undefined,
    });
  }

  #settle(found: FoundAudio, direction: MediaDirection): void {
    this.#crypto.settle(found.crypto);
    this.#settledSettings = this.#settings;
    this.#negotiated = concludeExchange(found, {
      capabilities: this.#capabilities,
      numbers: this.#numbers,
      ptimeMs: this.#settings.ptimeMs,
      direction,
      earlier: this.#negotiated,
    });
    this.onNegotiated?.(this.#negotiated);
  }

  #answerLine(found: FoundAudio, direction: MediaDirection): MediaDescription {
    const { matched, audio, crypto } = found;
    const isMux = this.#capabilities.rtcp.mode === "mux" && audio.rtcp.isMux;
    const formats = remoteFormats(matched).map((format) => this.#announced(format));
    return this.#audioLine(formats, direction, [
      ...rtcpAttributes(this.#capabilities, isMux),
      // The tag of the line that was chosen, with a key of our own (RFC 4568 §5.1.2).
      ...(crypto === undefined ? [] : [cryptoAttribute(crypto.tag, crypto.send)]),
    ]);
  }

  #audioLine(
    formats: readonly PayloadFormat[],
    direction: MediaDirection,
    attributes: readonly SdpAttribute[],
  ): MediaDescription {
    this.#numbers.note(formats);
    const { port, srtp } = this.#capabilities;
    const ownProtocol = srtp.policy === "required" ? "RTP/SAVP" : "RTP/AVP";
    const protocol = this.#mediaLines[this.#audioIndex]?.protocol ?? ownProtocol;
    const { ptimeMs } = this.#settings;
    return audioLine({ port, protocol, formats, ptimeMs, attributes, direction });
  }

  /** A format with our number and our parameters. */
  #announced(format: Pick<LocalFormat, "name" | "clockRateHz" | "channels">): PayloadFormat {
    const { name, clockRateHz, channels = 1 } = format;
    const payloadType = present(this.#numbers.numberOf(format), "all our formats have numbers");
    const fmtp = isNamed(format, TELEPHONE_EVENT) ? "0-15" : this.#ownFmtp(payloadType);
    const meaning = { payloadType, name, clockRateHz, channels };
    return fmtp === undefined ? meaning : { ...meaning, fmtp };
  }

  #ownFmtp(payloadType: number): string | undefined {
    const { codecs } = this.#capabilities;
    return codecs.find((codec) => this.#numbers.numberOf(codec) === payloadType)?.fmtp;
  }

  /** A re-offer for another reason (hold, refresh) must not change the codec. */
  #inUseFirst(codecs: readonly LocalFormat[]): LocalFormat[] {
    // What was just asked for goes before what is in use.
    const isReordered = codecs !== this.#settledSettings.codecs;
    const inUse = isReordered ? undefined : this.#negotiated?.send.codecId;
    return [
      ...codecs.filter((codec) => codec.id === inUse),
      ...codecs.filter((codec) => codec.id !== inUse),
    ];
  }

  #codec(id: string): LocalFormat {
    const { codecs } = this.#capabilities;
    const codec = codecs.find((each) => each.id === id);
    if (codec !== undefined) return codec;
    const known = codecs.map((each) => each.id);
    throw new UsageError(
      "ERR_CODEC_NOT_ENABLED",
      `This call cannot change to the codec ${id}: it was set up for ${known.join(", ")}. Name ${id} among the codecs of the agent.`,
      { context: { codec: id, known } },
    );
  }

  /** The whole description, with all m-lines of the session in their order. */
  #describe(audio: MediaDescription): string {
    const media =
      this.#mediaLines.length === 0
        ? [audio]
        : this.#mediaLines.map((line, index) =>
            index === this.#audioIndex ? audio : refusedLine(line),
          );
    const { address, sessionId } = this.#capabilities;
    const addressType = address.includes(":") ? "IP6" : "IP4";
    const origin = { username: "-", sessionId: String(sessionId), addressType, address };
    const write = (version: number): string =>
      writeSdp({
        kind: "session",
        origin: { ...origin, sessionVersion: String(version) },
        sessionName: "-",
        connection: { addressType, address },
        attributes: [],
        media,
      });
    // RFC 3264 §8: the version stays if nothing changed, and goes up by one otherwise.
    if (this.#lastBody !== undefined && write(this.#version) !== this.#lastBody) this.#version += 1;
    this.#lastBody = write(this.#version);
    return this.#lastBody;
  }
}

/** All that was matched, in the peer's words. */
function remoteFormats(matched: MatchedFormats): PayloadFormat[] {
  return [...matched.codecs.map((pair) => pair.remote), ...matched.auxiliaries];
}

function parsed(text: string, role: DescriptionRole): SessionDescription {
  const session = parseSdp(text);
  if (session.kind === "session") return session;
  const where = session.lineNumber === 0 ? "" : ` (line ${session.lineNumber})`;
  throw malformedSdp(`The ${role} cannot be read${where}. ${session.reason}`);
}
