import { BlockList, isIP } from "node:net";

/**
 * Networks that are not the public internet: those of the IANA registries of special-purpose
 * addresses (RFC 6890) that are not globally reachable, multicast, and those that carry an IPv4
 * address which would have to be judged itself (NAT64, 6to4, Teredo).
 */
const SPECIAL: readonly (readonly [network: string, prefix: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["::", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["100::", 64],
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
  ["5f00::", 16],
  ["fc00::", 7],
  ["fe80::", 10],
  ["fec0::", 10],
  ["ff00::", 8],
];

const special = new BlockList();
for (const [network, prefix] of SPECIAL) {
  special.addSubnet(network, prefix, isIP(network) === 4 ? "ipv4" : "ipv6");
}

/** Whether a numeric address is one of the public internet. What is no address is not. */
export function isPublicAddress(address: string): boolean {
  const plain = address.replace(/%.*$/u, "");
  const version = isIP(plain);
  if (version === 0) return false;
  // BlockList looks IPv4-mapped addresses (::ffff:10.0.0.1) up among those of IPv4.
  return !special.check(plain, version === 4 ? "ipv4" : "ipv6");
}
