/**
 * A world within one process, under one clock that is told to advance: time, a network, and the
 * channels of what would be threads. It carries whole calls, and knows nothing of them.
 */
export { ManualClock } from "./manual-clock.ts";
export { virtualChannel } from "./virtual-channel.ts";
export { VirtualDns } from "./virtual-dns.ts";
export { requirePlain, requireWithin } from "./virtual-limits.ts";
export {
  type Datagram,
  type DatagramCounts,
  VirtualNetwork,
  type VirtualNetworkOptions,
} from "./virtual-network.ts";
export { VirtualTime } from "./virtual-time.ts";
export { VirtualWorld } from "./virtual-world.ts";
