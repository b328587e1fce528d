import { UsageError } from "../environment/index.ts";

/** The media type of digits with a duration: "Signal=5" and "Duration=160" (Cisco's, not an RFC). */
export const DTMF_RELAY_TYPE = "application/dtmf-relay";

/** The media type of a digit alone: "5". */
export const DTMF_TYPE = "application/dtmf";

/** A digit from the body of an INFO request. */
export interface DtmfInfo {
  /** One of 0–9, A–D, * and #. */
  readonly digit: string;
  readonly durationMs: number;
}

/** What Cisco's gateways take where no duration is given. */
const DEFAULT_DURATION_MS = 250;
/** Some send the codes of RFC 4733 instead of the characters. */
const CODES: ReadonlyMap<string, string> = new Map([
  ["10", "*"],
  ["11", "#"],
]);

/**
 * Reads a digit from the body of an INFO request.
 *
 * Accepted as digit: 0–9, A–D (small letters too), * and #, also as 10 and 11. In
 * `application/dtmf-relay` the lines may come in any order, with any letter case, with blanks
 * around name and value, and with LF or CR alone as line end; unknown lines are passed over; where
 * there is no duration, it is 250 ms. `application/dtmf` holds the digit alone, but the lines of
 * the other type are understood there too. Parameters of the media type do not matter.
 *
 * @returns `undefined` for other media types, flash, no or several signals, a malformed duration.
 */
export function parseDtmfInfo(contentType: string, body: string): DtmfInfo | undefined {
  const mediaType = (contentType.split(";", 1)[0] as string).trim().toLowerCase();
  if (mediaType !== DTMF_RELAY_TYPE && mediaType !== DTMF_TYPE) return undefined;
  if (body.includes("=")) return relayedDigit(body);
  return mediaType === DTMF_TYPE ? dtmfInfo(body, undefined) : undefined;
}

/**
 * The body of an INFO request with `application/dtmf-relay`.
 * @throws UsageError ERR_DIGIT_UNKNOWN.
 */
export function writeDtmfRelay(digit: string, durationMs: number): string {
  return `Signal=${checkedDigit(digit)}\r\nDuration=${Math.round(durationMs)}\r\n`;
}

/**
 * The body of an INFO request with `application/dtmf`.
 * @throws UsageError ERR_DIGIT_UNKNOWN.
 */
export function writeDtmf(digit: string): string {
  return checkedDigit(digit);
}

function relayedDigit(body: string): DtmfInfo | undefined {
  const values = new Map<string, string>();
  for (const line of body.split(/[\r\n]+/)) {
    const equals = line.indexOf("=");
    if (equals < 0) continue;
    const name = line.slice(0, equals).trim().toLowerCase();
    if (values.has(name)) return undefined;
    values.set(name, line.slice(equals + 1));
  }
  return dtmfInfo(values.get("signal") ?? "", values.get("duration"));
}

function dtmfInfo(signal: string, duration: string | undefined): DtmfInfo | undefined {
  const value = signal.trim().toUpperCase();
  const digit = CODES.get(value) ?? value;
  const durationText = duration?.trim() ?? String(DEFAULT_DURATION_MS);
  if (!isDigit(digit) || !/^\d{1,7}$/.test(durationText)) return undefined;
  return { digit, durationMs: Number(durationText) };
}

function checkedDigit(digit: string): string {
  const upper = digit.toUpperCase();
  if (isDigit(upper)) return upper;
  throw new UsageError(
    "ERR_DIGIT_UNKNOWN",
    "What is to be sent by INFO is not one DTMF digit. Use 0-9, *, #, A-D, one at a time.",
  );
}

function isDigit(text: string): boolean {
  return /^[0-9A-D*#]$/.test(text);
}
