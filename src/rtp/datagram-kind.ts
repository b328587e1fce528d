import { isRtcp } from "./packet.ts";

/** What may arrive on the port of an RTP session (RFC 7983 §7, RFC 5761 §4). */
export type DatagramKind = "rtp" | "rtcp" | "stun" | "zrtp" | "dtls" | "turnChannel" | "unknown";

/**
 * Tells the protocols that share a media port by the first octet of a datagram (RFC 7983 §7), and
 * RTCP from RTP by the second. So that a foreign packet is named, not just called malformed: phones
 * that try ICE send STUN, others try ZRTP.
 */
export function datagramKind(data: Uint8Array): DatagramKind {
  const first = data[0];
  if (first === undefined) return "unknown";
  if (first >= 128 && first <= 191) return isRtcp(data) ? "rtcp" : "rtp";
  if (first <= 3) return "stun";
  if (first >= 16 && first <= 19) return "zrtp";
  if (first >= 20 && first <= 63) return "dtls";
  return first >= 64 && first <= 79 ? "turnChannel" : "unknown";
}
