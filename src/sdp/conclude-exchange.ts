import { present } from "../environment/index.ts";
import type { FoundAudio } from "./find-audio.ts";
import { auxiliaryAt, type MatchedFormats } from "./match-formats.ts";
import type { MediaCapabilities } from "./media-capabilities.ts";
import { intersected, type MediaDirection } from "./media-direction.ts";
import type { NegotiatedMedia, SendFormat } from "./negotiated-media.ts";
import { packetTime } from "./packet-time.ts";
import { COMFORT_NOISE, isNamed, TELEPHONE_EVENT } from "./payload-format.ts";
import type { PayloadNumbers } from "./payload-numbers.ts";
import { receiveFormats } from "./receive-formats.ts";
import { agreeRtcp } from "./rtcp-announcement.ts";

/** Our side of an exchange. */
export interface ExchangeState {
  readonly capabilities: MediaCapabilities;
  readonly numbers: PayloadNumbers;
  readonly ptimeMs: number;
  readonly direction: MediaDirection;
  /** The result of the exchange before. */
  readonly earlier: NegotiatedMedia | undefined;
}

/** What follows from a complete exchange. */
export function concludeExchange(found: FoundAudio, own: ExchangeState): NegotiatedMedia {
  const { audio, matched, crypto } = found;
  const { remote, local } = present(matched.codecs[0], "audio without a codec is not found");
  const send: SendFormat = {
    codecId: local.id,
    payloadType: remote.payloadType,
    clockRateHz: remote.clockRateHz,
    channels: remote.channels,
    ...(remote.fmtp === undefined ? {} : { remoteFmtp: remote.fmtp }),
  };
  // A null address is the older way to hold (RFC 3264 §8.4).
  const held = audio.remote === undefined ? "recvonly" : "sendrecv";
  return {
    send,
    receive: receiveFormats(matched, own.numbers, own.earlier?.receive),
    ...auxiliaryNumbers(matched, send.clockRateHz),
    ptimeMs: packetTime(own.ptimeMs, audio, { local, remoteFmtp: remote.fmtp }),
    ...(audio.ptimeMs === undefined ? {} : { remotePtimeMs: audio.ptimeMs }),
    remote: audio.remote,
    ...agreeRtcp(own.capabilities, audio.rtcp, audio.remote),
    direction: audio.isRefused ? "inactive" : intersected(own.direction, held),
    ...(crypto === undefined ? {} : { srtp: { send: crypto.send, receive: crypto.receive } }),
  };
}

type AuxiliaryNumbers = Pick<
  NegotiatedMedia,
  "telephoneEventPayloadType" | "otherTelephoneEvent" | "comfortNoisePayloadType"
>;

function auxiliaryNumbers(matched: MatchedFormats, clockRateHz: number): AuxiliaryNumbers {
  const noise = auxiliaryAt(matched, COMFORT_NOISE, clockRateHz);
  return {
    ...eventNumbers(matched, clockRateHz),
    ...(noise === undefined ? {} : { comfortNoisePayloadType: noise.payloadType }),
  };
}

function eventNumbers(matched: MatchedFormats, clockRateHz: number): AuxiliaryNumbers {
  const event = auxiliaryAt(matched, TELEPHONE_EVENT, clockRateHz);
  if (event !== undefined) return { telephoneEventPayloadType: event.payloadType };
  const other = matched.auxiliaries.find((format) => isNamed(format, TELEPHONE_EVENT));
  if (other === undefined) return {};
  const { payloadType, clockRateHz: otherClockRateHz } = other;
  return { otherTelephoneEvent: { payloadType, clockRateHz: otherClockRateHz } };
}
