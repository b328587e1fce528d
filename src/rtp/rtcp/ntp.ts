import type { NtpTimestamp } from "./rtcp-packet.ts";

/** From 1900-01-01 to 1970-01-01. */
const NTP_TO_UNIX_SECONDS = 2_208_988_800;
const FRACTION_PER_SECOND = 0x1_0000_0000;

/** The wall clock in the format of NTP (RFC 3550 §4); the seconds wrap in 2036 as they must. */
export function ntpTimestamp(wallClockMs: number): NtpTimestamp {
  const wholeSeconds = Math.floor(wallClockMs / 1000);
  const restMs = wallClockMs - wholeSeconds * 1000;
  return {
    seconds: (wholeSeconds + NTP_TO_UNIX_SECONDS) >>> 0,
    fraction: Math.floor((restMs / 1000) * FRACTION_PER_SECOND) >>> 0,
  };
}

/** The middle 32 bits: what LSR and LRR fields hold (RFC 3550 §6.4.1). */
export function middleBits(ntp: NtpTimestamp): number {
  return ((ntp.seconds << 16) | (ntp.fraction >>> 16)) >>> 0;
}

/** A time span in units of 1/65536 s, as DLSR and DLRR fields have it; about 18 h at most. */
export function shortNtpSpan(spanMs: number): number {
  return Math.min(Math.max(0, Math.round(spanMs * 65.536)), 0xffff_ffff);
}

/** Milliseconds of a DLSR or DLRR field. */
export function spanMsOf(shortNtp: number): number {
  return shortNtp / 65.536;
}
