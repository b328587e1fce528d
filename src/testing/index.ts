/**
 * Doubles of the world for tests, ours and those of users: a clock that is told to advance, and a
 * network within the process. Product code never imports this folder.
 */

export {
  type CorrelationAccuracy,
  DELAY_BOUND_COVERED,
  DELAY_BOUND_P95_MS,
  DELAY_GOAL_P95_MS,
  DELAY_ROWS,
  inTurn,
  measureDelayRow,
  measureLocatedRow,
} from "./delay-accuracy.ts";
export { type InjuredCall, type LineInjuries, overInjuredLine } from "./injured-line.ts";
export { ManualClock } from "./manual-clock.ts";
export { VirtualDns } from "./virtual-dns.ts";
export {
  type Datagram,
  type DatagramCounts,
  VirtualNetwork,
  type VirtualNetworkOptions,
} from "./virtual-network.ts";
