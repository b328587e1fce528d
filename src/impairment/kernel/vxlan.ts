/** RFC 7348 §5: flags and identifier. */
const VXLAN_BYTES = 8;
const ETHERNET_BYTES = 14;
const ETHERTYPE_OFFSET = VXLAN_BYTES + 12;
const IPV4 = 0x0800;
const IPV4_BYTES_MIN = 20;

/** Before the IP packet in a datagram of a VXLAN. */
export const VXLAN_OVERHEAD_BYTES: number = VXLAN_BYTES + ETHERNET_BYTES;
/** IPv4, UDP, VXLAN and Ethernet: how much larger the packets are that carry ours. */
export const VXLAN_PATH_BYTES: number = 28 + VXLAN_OVERHEAD_BYTES;
/** IANA's port for VXLAN (RFC 7348 §8). */
export const VXLAN_PORT = 4789;

/**
 * How long the IPv4 packet in a datagram of a VXLAN is, headers included; `undefined` where there is
 * none (ARP, IPv6, or no VXLAN).
 */
export function innerPacketBytes(datagram: Uint8Array): number | undefined {
  if (datagram.length < VXLAN_OVERHEAD_BYTES + IPV4_BYTES_MIN) return undefined;
  const type = ((datagram[ETHERTYPE_OFFSET] ?? 0) << 8) | (datagram[ETHERTYPE_OFFSET + 1] ?? 0);
  return type === IPV4 ? datagram.length - VXLAN_OVERHEAD_BYTES : undefined;
}
