import type { SocketAddress } from "../environment/index.ts";
import type { NextHop } from "./next-hop.ts";
import type { SipTransport } from "./transport-name.ts";

/** Where a message is sent: a numeric address, and how. */
export interface Target extends SocketAddress {
  readonly transport: SipTransport;
  /** The name that led here; a TLS server has to prove it (RFC 5922 §4). */
  readonly host: string;
}

/** Turns next hops into targets, in the order in which they are to be tried (RFC 3263 §4). */
export interface TargetLocator {
  /** The targets of a hop that needs no look-up, or none again. */
  known(hop: NextHop): readonly Target[] | undefined;
  /** @throws EnvironmentError ERR_HOST_UNRESOLVED. */
  locate(hop: NextHop): Promise<readonly Target[]>;
}
