import type { SocketAddress } from "../environment/index.ts";
import type { MediaDescription, SdpAttribute, SessionDescription } from "./session-description.ts";

/** Who sends, seen from the one who wrote the description (RFC 8866 §6.7). */
export type MediaDirection = "sendrecv" | "sendonly" | "recvonly" | "inactive";

/** A payload type of an m= line and what it stands for. */
export interface PayloadFormat {
  readonly payloadType: number;
  /** Encoding name as written; compare without regard to case (RFC 8866 §6.6). */
  readonly name: string;
  readonly clockRateHz: number;
  readonly channels: number;
  readonly fmtp?: string;
}

/** What an audio m= line says, session-level defaults put in. */
export interface AudioMedia {
  readonly formats: readonly PayloadFormat[];
  /** Where the writer wants to receive; `undefined`: nowhere (port 0 or a null address). */
  readonly remote: SocketAddress | undefined;
  readonly isRefused: boolean;
  readonly direction: MediaDirection;
  readonly ptimeMs?: number;
  readonly maxPtimeMs?: number;
}

/** Static payload types for audio (RFC 3551 §6, table 4): they need no rtpmap. */
const STATIC_AUDIO: ReadonlyMap<number, readonly [name: string, clockRateHz: number]> = new Map([
  [0, ["PCMU", 8000]],
  [3, ["GSM", 8000]],
  [4, ["G723", 8000]],
  [8, ["PCMA", 8000]],
  [9, ["G722", 8000]],
  [13, ["CN", 8000]],
  [15, ["G728", 8000]],
  [18, ["G729", 8000]],
]);

/** Addresses that stand for "do not send" (RFC 3264 §8.4 and its IPv6 likeness). */
const NULL_ADDRESSES: ReadonlySet<string> = new Set(["0.0.0.0", "::", "0:0:0:0:0:0:0:0"]);

/** Whether this m= line is audio over plain RTP, which is all that is spoken here. */
export function isPlainRtpAudio(media: MediaDescription): boolean {
  return media.media === "audio" && /^RTP\/AVPF?$/iu.test(media.protocol);
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
  const isNull = connection === undefined || NULL_ADDRESSES.has(connection.address);
  const ptimeMs = positiveNumber(valueOf(media.attributes, "ptime"));
  const maxPtimeMs = positiveNumber(valueOf(media.attributes, "maxptime"));
  return {
    formats: readFormats(media),
    remote: isRefused || isNull ? undefined : { address: connection.address, port: media.port },
    isRefused,
    direction: directionOf(media.attributes) ?? directionOf(session.attributes) ?? "sendrecv",
    ...(ptimeMs === undefined ? {} : { ptimeMs }),
    ...(maxPtimeMs === undefined ? {} : { maxPtimeMs }),
  };
}

/** The direction as the other side has to see it (RFC 3264 §6.1). */
export function mirrored(direction: MediaDirection): MediaDirection {
  if (direction === "sendonly") return "recvonly";
  return direction === "recvonly" ? "sendonly" : direction;
}

/** What remains of `direction` if sending, or receiving, is limited by `other`. */
export function intersected(direction: MediaDirection, other: MediaDirection): MediaDirection {
  const sends = canSend(direction) && canSend(other);
  const receives = canReceive(direction) && canReceive(other);
  if (sends) return receives ? "sendrecv" : "sendonly";
  return receives ? "recvonly" : "inactive";
}

function canSend(direction: MediaDirection): boolean {
  return direction === "sendrecv" || direction === "sendonly";
}

function canReceive(direction: MediaDirection): boolean {
  return direction === "sendrecv" || direction === "recvonly";
}

function readFormats(media: MediaDescription): PayloadFormat[] {
  const formats: PayloadFormat[] = [];
  for (const format of media.formats) {
    const payloadType = /^\d{1,3}$/u.test(format) ? Number(format) : 128;
    const isKnown = formats.some((known) => known.payloadType === payloadType);
    if (payloadType > 127 || isKnown) continue;
    const mapping = mappingOf(media.attributes, payloadType) ?? staticMappingOf(payloadType);
    if (mapping === undefined) continue;
    const fmtp = parameterOf(media.attributes, "fmtp", payloadType);
    formats.push({ payloadType, ...mapping, ...(fmtp === undefined ? {} : { fmtp }) });
  }
  return formats;
}

type Mapping = Pick<PayloadFormat, "name" | "clockRateHz" | "channels">;

function mappingOf(attributes: readonly SdpAttribute[], payloadType: number): Mapping | undefined {
  const text = parameterOf(attributes, "rtpmap", payloadType);
  const match = /^([^\s/]+)\/(\d{1,6})(?:\/(\d{1,2}))?/u.exec(text ?? "");
  if (match === null) return undefined;
  const [, name = "", clockRate = "", channels = "1"] = match;
  return { name, clockRateHz: Number(clockRate), channels: Number(channels) };
}

function staticMappingOf(payloadType: number): Mapping | undefined {
  const entry = STATIC_AUDIO.get(payloadType);
  return entry === undefined ? undefined : { name: entry[0], clockRateHz: entry[1], channels: 1 };
}

/** The value of `a=<name>:<payload type> …` without the payload type. */
function parameterOf(
  attributes: readonly SdpAttribute[],
  name: string,
  payloadType: number,
): string | undefined {
  const prefix = `${payloadType} `;
  const found = attributes.find((each) => each.name === name && each.value?.startsWith(prefix));
  return found?.value?.slice(prefix.length).trim();
}

function valueOf(attributes: readonly SdpAttribute[], name: string): string | undefined {
  return attributes.find((attribute) => attribute.name === name)?.value;
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

/** Host names are legal in c= (RFC 8866 §5.7) but unused in SIP; resolving them is not for here. */
function isNumericAddress(address: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/u.test(address) || /^[\da-f:.]*:[\da-f:.]*$/iu.test(address);
}
