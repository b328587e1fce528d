/** One telephone event (RFC 4733 §2.3). */
export interface TelephoneEvent {
  /** 0–15 are the DTMF digits (RFC 4733 §3.2). */
  readonly code: number;
  readonly isEnd: boolean;
  /** Power of the tone in -dBm0, 0–63. */
  readonly volume: number;
  /** 16 bits, from the packet's timestamp on. */
  readonly durationTicks: number;
}

/** Bytes of one event in a payload. */
export const TELEPHONE_EVENT_BYTES = 4;

/** The 16-bit duration's greatest value; a longer event goes on in a new segment. */
export const MAX_EVENT_TICKS = 0xffff;

/** Digits in the order of their event codes (RFC 4733 §3.2). */
const DIGITS = "0123456789*#ABCD";

/** Whether this one character is a DTMF digit: 0–9, *, #, A–D (small letters too). */
export function isDigit(character: string): boolean {
  return character.length === 1 && DIGITS.includes(character.toUpperCase());
}

/** The event code of a digit, -1 for other characters. */
export function codeOfDigit(digit: string): number {
  return isDigit(digit) ? DIGITS.indexOf(digit.toUpperCase()) : -1;
}

/** The digit of an event code; `undefined` for events that are not digits (flash, fax tones). */
export function digitOfCode(code: number): string | undefined {
  return DIGITS[code];
}

/** Reads the event at `offset`; `undefined` where the payload is too short for one. */
export function decodeTelephoneEvent(
  payload: Uint8Array,
  offset: number = 0,
): TelephoneEvent | undefined {
  if (payload.length < offset + TELEPHONE_EVENT_BYTES) return undefined;
  const flags = payload[offset + 1] as number;
  return {
    code: payload[offset] as number,
    isEnd: (flags & 0x80) !== 0,
    volume: flags & 0x3f,
    durationTicks: ((payload[offset + 2] as number) << 8) | (payload[offset + 3] as number),
  };
}

/** Writes one event into the first four bytes of `output`. */
export function encodeTelephoneEvent(event: TelephoneEvent, output: Uint8Array): void {
  output[0] = event.code;
  output[1] = (event.isEnd ? 0x80 : 0) | (event.volume & 0x3f);
  output[2] = event.durationTicks >>> 8;
  output[3] = event.durationTicks;
}
