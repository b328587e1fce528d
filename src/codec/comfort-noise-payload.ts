/** The lowest level that a payload can tell (RFC 3389 §3.1): silence. */
export const COMFORT_NOISE_LOWEST_DBOV = -127;
/** The RTP payload type of comfort noise at 8 kHz (RFC 3389 §4). */
export const COMFORT_NOISE_PAYLOAD_TYPE = 13;

/** A step of a quantised reflection coefficient (RFC 3389 §3.2): k = 258·(N − 127)/32768. */
const STEP = 258 / 32_768;
const ZERO = 127;

/** The first octet of a payload: the level of the noise in −dBov, 0 to 127. */
export function levelOctet(levelDbov: number): number {
  return Math.max(0, Math.min(127, Math.round(-levelDbov)));
}

/** The octet of a reflection coefficient. */
export function reflectionOctet(reflection: number): number {
  return Math.max(0, Math.min(2 * ZERO, Math.round(reflection / STEP) + ZERO));
}

/** The reflection coefficient of an octet; 255, which no sender writes, counts as 254. */
export function reflectionOf(octet: number): number {
  return STEP * (Math.min(octet, 2 * ZERO) - ZERO);
}
