import { type Instant, instant } from "../environment/index.ts";
import { decodeRtp, isRtcp, type RtpHeader } from "../rtp/index.ts";

/** A UDP datagram of a capture. */
export interface CapturedUdp {
  readonly at: Instant;
  /** "127.0.0.1:5004". */
  readonly from: string;
  readonly to: string;
  readonly payload: Uint8Array;
}

/** An RTP packet of a capture. */
export interface CapturedRtp extends RtpHeader {
  readonly at: Instant;
  readonly payload: Uint8Array;
}

const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const MICROSECONDS = 0xa1b2_c3d4;
const IPV4_HEADER_BYTES = 20;
const UDP_HEADER_BYTES = 8;
const UDP_PROTOCOL = 17;

/**
 * Reads the IPv4 and UDP datagrams of a capture that `PcapWriter` wrote.
 *
 * @param firstAt when its first packet crossed the socket, by the clock of the facts.
 */
export function readCapture(pcap: Uint8Array, firstAt: Instant): CapturedUdp[] {
  const view = new DataView(pcap.buffer, pcap.byteOffset, pcap.byteLength);
  if (pcap.length < FILE_HEADER_BYTES || view.getUint32(0, true) !== MICROSECONDS) return [];
  const found: CapturedUdp[] = [];
  let originMs: number | undefined;
  for (let offset = FILE_HEADER_BYTES; offset + RECORD_HEADER_BYTES <= pcap.length; ) {
    const wallMs = view.getUint32(offset, true) * 1000 + view.getUint32(offset + 4, true) / 1000;
    const begin = offset + RECORD_HEADER_BYTES;
    const end = begin + view.getUint32(offset + 8, true);
    originMs ??= wallMs;
    const datagram = udpIn(pcap.subarray(begin, end));
    if (datagram !== undefined) {
      found.push({ at: instant(firstAt + wallMs - originMs), ...datagram });
    }
    offset = end;
  }
  return found;
}

/** The RTP packets among them; no RTCP, and nothing that merely goes the same way. */
export function rtpIn(datagrams: readonly CapturedUdp[]): CapturedRtp[] {
  return datagrams.flatMap(({ at, payload }) => {
    if (isRtcp(payload)) return [];
    const packet = decodeRtp(payload);
    if (packet.kind !== "rtp") return [];
    return [{ ...packet, at }];
  });
}

function udpIn(packet: Uint8Array): Omit<CapturedUdp, "at"> | undefined {
  if (packet.length < IPV4_HEADER_BYTES + UDP_HEADER_BYTES) return undefined;
  if ((packet[0] as number) >> 4 !== 4 || packet[9] !== UDP_PROTOCOL) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset);
  const address = (offset: number): string => packet.subarray(offset, offset + 4).join(".");
  return {
    from: `${address(12)}:${view.getUint16(IPV4_HEADER_BYTES)}`,
    to: `${address(16)}:${view.getUint16(IPV4_HEADER_BYTES + 2)}`,
    payload: packet.subarray(IPV4_HEADER_BYTES + UDP_HEADER_BYTES),
  };
}
