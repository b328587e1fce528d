import type { SocketAddress } from "../environment/index.ts";
import { attributeValue, attributeValues } from "./attributes.ts";
import { isNullAddress, isNumericAddress } from "./internet-address.ts";
import type { MediaDirection } from "./media-direction.ts";
import { type PayloadFormat, readFormats } from "./payload-format.ts";
import { type RtcpAnnouncement, readRtcp } from "./rtcp-announcement.ts";
import type { MediaDescription, SdpAttribute, SessionDescription } from "./session-description.ts";

/** What an audio m= line says, session-level defaults put in. */
export interface AudioMedia {
  readonly formats: readonly PayloadFormat[];
  /** Where the writer wants to receive; `undefined`: nowhere (port 0 or a null address). */
  readonly remote: SocketAddress | undefined;
  readonly isRefused: boolean;
  readonly direction: MediaDirection;
  readonly ptimeMs?: number;
  readonly maxPtimeMs?: number;
  readonly minPtimeMs?: number;
  readonly rtcp: RtcpAnnouncement;
  /** RTP/SAVP or RTP/SAVPF: SRTP is not a matter of choice. */
  readonly isSecure: boolean;
  /** The values of its `a=crypto` (RFC 4568 §4). */
  readonly cryptos: readonly string[];
}

/**
 * Whether this m= line is audio over RTP with or without SRTP. The feedback profiles (RFC 4585,
 * RFC 5124) are taken for the plain ones: no feedback is sent, which is allowed.
 */
export function isRtpAudio(media: MediaDescription): boolean {
  return media.media === "audio" && /^RTP\/S?AVPF?$/iu.test(media.protocol);
}

/** Reads an audio m= line; `undefined` where there is no usable address for an open port. */
export function readAudioMedia(
  session: SessionDescription,
  media: MediaDescription,
): AudioMedia | undefined {
  const connection = media.connection ?? session.connection;
  const isRefused = media.port === 0;
  if (!isRefused && (connection === undefined || !isNumericAddress(connection.address))) {
    return undefined;
  }
  const isNowhere = isRefused || connection === undefined || isNullAddress(connection.address);
  const remote = isNowhere ? undefined : { address: connection.address, port: media.port };
  return {
    formats: readFormats(media),
    remote,
    isRefused,
    direction: directionOf(media.attributes) ?? directionOf(session.attributes) ?? "sendrecv",
    ...packetTimes(media.attributes),
    rtcp: readRtcp(session, media, remote),
    isSecure: /^RTP\/SAVP/iu.test(media.protocol),
    cryptos: attributeValues(media.attributes, "crypto"),
  };
}

/** RFC 8866 §6.4 and §6.5; `a=minptime` is unregistered, but baresip and others write it. */
function packetTimes(
  attributes: readonly SdpAttribute[],
): Pick<AudioMedia, "ptimeMs" | "maxPtimeMs" | "minPtimeMs"> {
  const ptimeMs = positiveNumber(attributeValue(attributes, "ptime"));
  const maxPtimeMs = positiveNumber(attributeValue(attributes, "maxptime"));
  const minPtimeMs = positiveNumber(attributeValue(attributes, "minptime"));
  return {
    ...(ptimeMs === undefined ? {} : { ptimeMs }),
    ...(maxPtimeMs === undefined ? {} : { maxPtimeMs }),
    ...(minPtimeMs === undefined ? {} : { minPtimeMs }),
  };
}

function directionOf(attributes: readonly SdpAttribute[]): MediaDirection | undefined {
  for (const { name } of attributes) {
    if (name === "sendrecv" || name === "sendonly") return name;
    if (name === "recvonly" || name === "inactive") return name;
  }
  return undefined;
}

function positiveNumber(text: string | undefined): number | undefined {
  const value = Number(text ?? "");
  return Number.isFinite(value) && value > 0 ? value : undefined;
}
