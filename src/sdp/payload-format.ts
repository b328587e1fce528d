import type { MediaDescription, SdpAttribute } from "./session-description.ts";

/** A payload type of an m= line and what it stands for. */
export interface PayloadFormat {
  readonly payloadType: number;
  /** Encoding name as written; compare without regard to case (RFC 8866 §6.6). */
  readonly name: string;
  readonly clockRateHz: number;
  readonly channels: number;
  readonly fmtp?: string;
}

/** What a payload type means, whatever its number. */
export type FormatMeaning = Omit<PayloadFormat, "payloadType" | "fmtp">;

/** RFC 4733: digits as events. */
export const TELEPHONE_EVENT = "telephone-event";
/** RFC 3389: comfort noise. */
export const COMFORT_NOISE = "CN";

/**
 * Static payload types for audio (RFC 3551 §6, table 4): they need no rtpmap. 10 and 11 are L16
 * at 44.1 kHz and therefore never the L16 that is spoken here.
 */
const STATIC_AUDIO: ReadonlyMap<number, readonly [string, number, number?]> = new Map([
  [0, ["PCMU", 8000]],
  [3, ["GSM", 8000]],
  [4, ["G723", 8000]],
  [5, ["DVI4", 8000]],
  [6, ["DVI4", 16_000]],
  [7, ["LPC", 8000]],
  [8, ["PCMA", 8000]],
  [9, ["G722", 8000]],
  [10, ["L16", 44_100, 2]],
  [11, ["L16", 44_100]],
  [12, ["QCELP", 8000]],
  [13, ["CN", 8000]],
  [14, ["MPA", 90_000]],
  [15, ["G728", 8000]],
  [16, ["DVI4", 11_025]],
  [17, ["DVI4", 22_050]],
  [18, ["G729", 8000]],
]);

/** The payload types of an m= line in its order; those that cannot be understood are left out. */
export function readFormats(media: MediaDescription): PayloadFormat[] {
  const formats: PayloadFormat[] = [];
  for (const format of media.formats) {
    const payloadType = /^\d{1,3}$/u.test(format) ? Number(format) : 128;
    const isKnown = formats.some((known) => known.payloadType === payloadType);
    if (payloadType > 127 || isKnown) continue;
    // An rtpmap goes before the static meaning (RFC 8866 §6.6).
    const meaning = mappingOf(media.attributes, payloadType) ?? staticMeaningOf(payloadType);
    if (meaning === undefined) continue;
    const fmtp = parameterOf(media.attributes, "fmtp", payloadType);
    formats.push({ payloadType, ...meaning, ...(fmtp === undefined ? {} : { fmtp }) });
  }
  return formats;
}

/** One text per meaning, for comparisons: channels count, letter case does not. */
export function meaningKey(format: {
  readonly name: string;
  readonly clockRateHz: number;
  readonly channels?: number;
}): string {
  return `${format.name.toLowerCase()}/${format.clockRateHz}/${format.channels ?? 1}`;
}

/** As an rtpmap writes it: "opus/48000/2", "PCMU/8000" (RFC 8866 §6.6). */
export function formatText(format: {
  readonly name: string;
  readonly clockRateHz: number;
  readonly channels?: number;
}): string {
  const channels = format.channels ?? 1;
  return `${format.name}/${format.clockRateHz}${channels > 1 ? `/${channels}` : ""}`;
}

/** Whether this is no codec but goes along with one. */
export function isAuxiliary(format: { readonly name: string }): boolean {
  return isNamed(format, TELEPHONE_EVENT) || isNamed(format, COMFORT_NOISE);
}

/** Compares encoding names as RFC 8866 §6.6 wants it. */
export function isNamed(format: { readonly name: string }, name: string): boolean {
  return format.name.toLowerCase() === name.toLowerCase();
}

function mappingOf(
  attributes: readonly SdpAttribute[],
  payloadType: number,
): FormatMeaning | undefined {
  const text = parameterOf(attributes, "rtpmap", payloadType);
  const match = /^([^\s/]+)\/(\d{1,6})(?:\/(\d{1,2}))?/u.exec(text ?? "");
  if (match === null) return undefined;
  const [, name = "", clockRate = "", channels = "1"] = match;
  return { name, clockRateHz: Number(clockRate), channels: Number(channels) };
}

function staticMeaningOf(payloadType: number): FormatMeaning | undefined {
  const entry = STATIC_AUDIO.get(payloadType);
  if (entry === undefined) return undefined;
  const [name, clockRateHz, channels = 1] = entry;
  return { name, clockRateHz, channels };
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
