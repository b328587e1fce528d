import { assert, RemoteError, type SocketAddress } from "../environment/index.ts";
import {
  type AudioMedia,
  intersected,
  isPlainRtpAudio,
  type MediaDirection,
  mirrored,
  type PayloadFormat,
  readAudioMedia,
} from "./audio-media.ts";
import {
  type LocalFormat,
  type MatchedFormats,
  type MatchOptions,
  matchFormats,
} from "./match-formats.ts";
import { parseSdp } from "./parse.ts";
import type { MediaDescription, SdpAttribute, SessionDescription } from "./session-description.ts";
import { writeSdp } from "./write.ts";

/** What one side can do, and where it wants its audio. */
export interface MediaCapabilities {
  /** Numeric address, IPv4 or IPv6, to be announced. */
  readonly address: string;
  readonly port: number;
  /** Most preferred first. */
  readonly codecs: readonly LocalFormat[];
  /** `undefined`: no telephone events. */
  readonly telephoneEventPayloadType?: number;
  readonly ptimeMs: number;
  /** The number of the `o=` line; its version counts up from it. */
  readonly sessionId: number;
  /**
   * Whose order of codecs counts in an answer; default "offer", as RFC 3264 §6.1 recommends.
   */
  readonly answerOrder?: "offer" | "own";
}

/** What both sides agreed on, seen from here. */
export interface NegotiatedMedia {
  /** Of the codec to send with. */
  readonly codecName: string;
  readonly sendPayloadType: number;
  /** What may arrive: payload type → codec name. Telephone events stand apart. */
  readonly receivePayloadTypes: ReadonlyMap<number, string>;
  readonly telephoneEvent?: {
    readonly sendPayloadType: number;
    readonly receivePayloadType: number;
  };
  /** Of the packets to send: our own, unless the peer's maxptime is lower. */
  readonly ptimeMs: number;
  /** What the peer would like to receive (a=ptime); only a wish. */
  readonly remotePtimeMs?: number;
  readonly clockRateHz: number;
  /** Where to send to; `undefined` while the stream is held or refused. */
  readonly remote: SocketAddress | undefined;
  readonly direction: MediaDirection;
}

/**
 * Offer/answer for one audio stream (RFC 3264), from either side and over re-offers.
 *
 * Other m-lines are refused with port 0 in their place. A call that throws changes nothing: what
 * was negotiated before stays in force.
 */
export class OfferAnswer {
  readonly #capabilities: MediaCapabilities;
  /** Payload types of later offers: those in use must keep their meaning (RFC 3264 §8.3.2). */
  #formats: readonly LocalFormat[];
  #telephoneEventPayloadType: number | undefined;
  #direction: MediaDirection = "sendrecv";
  /** The m-lines of the session so far; later descriptions must repeat their number and order. */
  #mediaLines: readonly MediaDescription[] = [];
  #audioIndex = 0;
  #version: number;
  #lastBody: string | undefined;
  #hasOpenOffer = false;
  #negotiated: NegotiatedMedia | undefined;

  /** Called after each successful exchange, re-offers included. */
  onNegotiated: ((media: NegotiatedMedia) => void) | undefined;

  constructor(capabilities: MediaCapabilities) {
    assert(capabilities.codecs.length > 0, "something must be able to be offered");
    this.#capabilities = capabilities;
    this.#formats = capabilities.codecs;
    this.#telephoneEventPayloadType = capabilities.telephoneEventPayloadType;
    this.#version = capabilities.sessionId;
  }

  /** The result of the newest complete exchange. */
  get negotiated(): NegotiatedMedia | undefined {
    return this.#negotiated;
  }

  /** The direction to offer and to answer with from now on; "sendonly" holds the peer. */
  set direction(direction: MediaDirection) {
    this.#direction = direction;
  }

  get direction(): MediaDirection {
    return this.#direction;
  }

  /** An offer, or a re-offer once something was negotiated (RFC 3264 §5, §8). */
  createOffer(): string {
    this.#hasOpenOffer = true;
    const formats = this.#formats.map((format) => ({ ...format, channels: format.channels ?? 1 }));
    const audio = this.#audioLine(formats, this.#telephoneEventPayloadType, this.#direction);
    return this.#describe(audio);
  }

  /**
   * Takes an offer and returns the answer (RFC 3264 §6).
   * @throws RemoteError ERR_SDP_MALFORMED, ERR_SDP_NO_COMMON_CODEC.
   */
  acceptOffer(offer: string): string {
    const session = parsed(offer, "offer");
    const found = this.#findAudio(session, this.#capabilities.answerOrder ?? "offer");
    const { audio, matched } = found;
    // A later offer of our own must use the numbers that are now in use.
    this.#adoptNumbers(matched);
    this.#mediaLines = session.media;
    this.#audioIndex = found.index;
    this.#hasOpenOffer = false;

    const direction = intersected(mirrored(audio.direction), this.#direction);
    const answered = audio.isRefused
      ? refused(session.media[found.index] as MediaDescription)
      : this.#audioLine(matched.formats, matched.telephoneEvent?.payloadType, direction);
    const answer = this.#describe(answered);
    this.#settle(audio, matched, direction);
    return answer;
  }

  /**
   * Takes the answer to the newest offer (RFC 3264 §7).
   * @throws RemoteError ERR_SDP_MALFORMED, ERR_SDP_NO_COMMON_CODEC.
   */
  acceptAnswer(answer: string): void {
    assert(this.#hasOpenOffer, "an answer follows an offer");
    const session = parsed(answer, "answer");
    const { audio, matched } = this.#findAudio(session, "offer");
    this.#hasOpenOffer = false;
    this.#settle(audio, matched, intersected(mirrored(audio.direction), this.#direction));
  }

  /** The audio m-line to speak, with the formats that both sides know. */
  #findAudio(session: SessionDescription, order: MatchOptions["order"]): FoundAudio {
    const candidates = [...session.media.entries()].filter(([, media]) => isPlainRtpAudio(media));
    // Ports of 0 are for streams that are not in use: another audio line goes first.
    const ordered = candidates.toSorted(([, left], [, right]) => rank(left) - rank(right));
    for (const [index, media] of ordered) {
      const audio = readAudioMedia(session, media);
      if (audio === undefined) throw malformed("An audio stream has no numeric address.");
      const telephoneEvents = this.#capabilities.telephoneEventPayloadType !== undefined;
      const matched = matchFormats(this.#formats, audio.formats, { telephoneEvents, order });
      if (matched.formats.length > 0 && this.#isAcceptable(audio)) return { index, audio, matched };
    }
    throw this.#noCommonCodec(session, candidates.length);
  }

  /** A refused stream can hold a call that is up, but not begin one. */
  #isAcceptable(audio: AudioMedia): boolean {
    return !audio.isRefused || this.#negotiated !== undefined;
  }

  /** Takes the peer's numbers over; formats that it does not know make way for them. */
  #adoptNumbers(matched: MatchedFormats): void {
    const event = matched.telephoneEvent?.payloadType ?? this.#telephoneEventPayloadType;
    const used = new Set(matched.formats.map((format) => format.payloadType));
    if (event !== undefined) used.add(event);
    this.#telephoneEventPayloadType = event;
    this.#formats = this.#formats.map((own) => {
      const adopted = matched.formats[matched.ownFormats.indexOf(own)];
      if (adopted !== undefined) return { ...own, payloadType: adopted.payloadType };
      const payloadType = used.has(own.payloadType) ? freeNumber(used) : own.payloadType;
      used.add(payloadType);
      return { ...own, payloadType };
    });
  }

  #settle(audio: AudioMedia, matched: MatchedFormats, direction: MediaDirection): void {
    const { ptimeMs } = this.#capabilities;
    const codec = matched.formats[0] as PayloadFormat;
    const event = matched.telephoneEvent;
    const ownEvent = this.#telephoneEventPayloadType;
    const held = audio.remote === undefined ? "recvonly" : "sendrecv";
    this.#negotiated = {
      codecName: (matched.ownFormats[0] as LocalFormat).name,
      sendPayloadType: codec.payloadType,
      receivePayloadTypes: this.#receivePayloadTypes(matched),
      ...(event === undefined || ownEvent === undefined
        ? {}
        : {
            telephoneEvent: {
              sendPayloadType: event.payloadType,
              receivePayloadType: ownEvent,
            },
          }),
      ptimeMs: Math.min(ptimeMs, audio.maxPtimeMs ?? ptimeMs),
      ...(audio.ptimeMs === undefined ? {} : { remotePtimeMs: audio.ptimeMs }),
      clockRateHz: codec.clockRateHz,
      remote: audio.remote,
      direction: audio.isRefused ? "inactive" : intersected(direction, held),
    };
    this.onNegotiated?.(this.#negotiated);
  }

  /**
   * Our own numbers are what the peer must send with. Where its numbers differ, some peers send
   * with those instead, so that they are understood as well (RFC 3264 §6.1 allows asymmetry).
   */
  #receivePayloadTypes(matched: MatchedFormats): ReadonlyMap<number, string> {
    const types = new Map<number, string>();
    const taken = new Set(this.#formats.map((format) => format.payloadType));
    if (this.#telephoneEventPayloadType !== undefined) taken.add(this.#telephoneEventPayloadType);
    for (const [index, own] of matched.ownFormats.entries()) {
      const local = this.#formats.find((format) => format.name === own.name) ?? own;
      types.set(local.payloadType, own.name);
      const remote = matched.formats[index] as PayloadFormat;
      if (!taken.has(remote.payloadType)) types.set(remote.payloadType, own.name);
    }
    return types;
  }

  #audioLine(
    formats: readonly Omit<PayloadFormat, "fmtp">[],
    telephoneEvent: number | undefined,
    direction: MediaDirection,
  ): MediaDescription {
    const clockRateHz = formats[0]?.clockRateHz ?? 8000;
    const events = telephoneEvent === undefined ? [] : eventAttributes(telephoneEvent, clockRateHz);
    const numbers = formats.map((format) => String(format.payloadType));
    return {
      media: "audio",
      port: this.#capabilities.port,
      protocol: this.#mediaLines[this.#audioIndex]?.protocol ?? "RTP/AVP",
      formats: telephoneEvent === undefined ? numbers : [...numbers, String(telephoneEvent)],
      attributes: [
        ...formats.flatMap((format) => this.#formatAttributes(format)),
        ...events,
        { name: "ptime", value: String(this.#capabilities.ptimeMs) },
        { name: direction },
      ],
    };
  }

  #formatAttributes(format: Omit<PayloadFormat, "fmtp">): SdpAttribute[] {
    const { payloadType, name, clockRateHz, channels } = format;
    const suffix = channels > 1 ? `/${channels}` : "";
    const own = this.#capabilities.codecs.find((codec) => sameName(codec.name, name));
    return [
      { name: "rtpmap", value: `${payloadType} ${name}/${clockRateHz}${suffix}` },
      ...(own?.fmtp === undefined ? [] : [{ name: "fmtp", value: `${payloadType} ${own.fmtp}` }]),
    ];
  }

  /** The whole description, with all m-lines of the session in their order. */
  #describe(audio: MediaDescription): string {
    const media =
      this.#mediaLines.length === 0
        ? [audio]
        : this.#mediaLines.map((line, index) =>
            index === this.#audioIndex ? audio : refused(line),
          );
    const { address } = this.#capabilities;
    const addressType = address.includes(":") ? "IP6" : "IP4";
    const write = (version: number): string =>
      writeSdp({
        kind: "session",
        origin: {
          username: "-",
          sessionId: String(this.#capabilities.sessionId),
          sessionVersion: String(version),
          addressType,
          address,
        },
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

  #noCommonCodec(session: SessionDescription, candidates: number): RemoteError {
    const offered = session.media.map(({ media, protocol, formats }) =>
      [media, protocol, ...formats].join(" "),
    );
    const own = this.#capabilities.codecs.map((codec) => codec.name);
    const what =
      candidates === 0
        ? "The peer's description has no audio over RTP/AVP"
        : "The peer's description has no audio codec that we speak, or refuses the audio";
    return new RemoteError(
      "ERR_SDP_NO_COMMON_CODEC",
      `${what}. We speak ${own.join(", ")}. Allow one of them at the peer.`,
      { context: { offered, own } },
    );
  }
}

interface FoundAudio {
  readonly index: number;
  readonly audio: AudioMedia;
  readonly matched: MatchedFormats;
}

function rank(media: MediaDescription): number {
  return media.port === 0 ? 1 : 0;
}

/** A refused m-line keeps its protocol and formats (RFC 3264 §6). */
function refused(line: MediaDescription): MediaDescription {
  const { media, protocol, formats } = line;
  return { media, port: 0, protocol, formats, attributes: [] };
}

/** A dynamic payload type (RFC 3551 §6) that is not in use. */
function freeNumber(used: ReadonlySet<number>): number {
  for (let payloadType = 96; payloadType < 127; payloadType += 1) {
    if (!used.has(payloadType)) return payloadType;
  }
  return 127;
}

function eventAttributes(payloadType: number, clockRateHz: number): SdpAttribute[] {
  return [
    { name: "rtpmap", value: `${payloadType} telephone-event/${clockRateHz}` },
    { name: "fmtp", value: `${payloadType} 0-15` },
  ];
}

function parsed(text: string, what: "offer" | "answer"): SessionDescription {
  const session = parseSdp(text);
  if (session.kind === "session") return session;
  const where = session.lineNumber === 0 ? "" : ` (line ${session.lineNumber})`;
  throw malformed(`The ${what} cannot be read${where}. ${session.reason}`);
}

function malformed(message: string): RemoteError {
  return new RemoteError(
    "ERR_SDP_MALFORMED",
    `${message} The SIP message in the call's trace shows the description.`,
  );
}

function sameName(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
