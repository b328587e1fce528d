/** Why a packet was refused, as the negative result of `protect…` and `unprotect…`. */
export const SRTP_REJECTION = {
  /** Not RTP or RTCP of version 2, too short for tag and MKI, or too long for the output. */
  malformed: -1,
  /** The tag is wrong: wrong keys, a changed packet, or a lost count of sequence wraps. */
  authenticationFailed: -2,
  /** This packet was accepted before. */
  replayed: -3,
  /** So old that it can no longer be told whether it was accepted before. */
  tooOld: -4,
  /** RTCP whose E bit says that it is not encrypted, though encryption was negotiated. */
  unencrypted: -5,
  /** The MKI is not that of the negotiated key. */
  unknownKey: -6,
  /** Authentic, but of one SSRC more than are kept apart. */
  tooManySources: -7,
  /** The master key has protected as many packets as it may (RFC 3711 §9.2). */
  keyExhausted: -8,
} as const;

/** A reason, as counted. */
export type SrtpRejectionName = keyof typeof SRTP_REJECTION;

/** A reason, as returned. */
export type SrtpRejection = (typeof SRTP_REJECTION)[SrtpRejectionName];

const NAMES = Object.keys(SRTP_REJECTION) as readonly SrtpRejectionName[];

/** The reason that a negative result stands for; `undefined` for a length. */
export function rejectionName(result: number): SrtpRejectionName | undefined {
  return result < 0 ? NAMES[-result - 1] : undefined;
}
