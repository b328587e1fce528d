/**
 * Doubles of the world for tests, ours and those of users: a clock that is told to advance, and a
 * network within the process. Product code never imports this folder.
 */
export { ManualClock } from "./manual-clock.ts";
export { VirtualDns } from "./virtual-dns.ts";
export {
  type Datagram,
  type DatagramCounts,
  VirtualNetwork,
  type VirtualNetworkOptions,
} from "./virtual-network.ts";
