/** What of a TCP segment tells whether bytes are late. */
export interface TcpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly isSyn: boolean;
  readonly dataBytes: number;
}

const TCP = 6;
const SYN = 0x02;
const TCP_BYTES_MIN = 20;

/**
 * Reads the headers of an IPv4 packet (RFC 791 §3.1, RFC 9293 §3.1); `undefined` where it holds no
 * TCP, or not all of its header.
 */
export function tcpSegmentOf(packet: Uint8Array): TcpSegment | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (packet.length < TCP_BYTES_MIN || view.getUint8(0) >> 4 !== 4 || view.getUint8(9) !== TCP) {
    return undefined;
  }
  const start = (view.getUint8(0) & 0xf) * 4;
  const totalBytes = Math.min(view.getUint16(2), packet.length);
  if (totalBytes < start + TCP_BYTES_MIN) return undefined;
  const headerBytes = (view.getUint8(start + 12) >> 4) * 4;
  return {
    sourcePort: view.getUint16(start),
    destinationPort: view.getUint16(start + 2),
    sequence: view.getUint32(start + 4),
    isSyn: (view.getUint8(start + 13) & SYN) !== 0,
    dataBytes: Math.max(0, totalBytes - start - headerBytes),
  };
}
