import {
  after,
  type Clock,
  EnvironmentError,
  type Instant,
  type Network,
  type SocketAddress,
} from "../environment/index.ts";
import type { NextHop } from "./next-hop.ts";
import { type SipTransport, transportTraits } from "./transport-name.ts";

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

export interface HostLocatorOptions {
  readonly network: Network;
  readonly clock: Clock;
  /** For hops that name no transport. */
  readonly defaultTransport: SipTransport;
  /** Whether addresses of this family can be reached from here. */
  readonly reaches: (address: string) => boolean;
}

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
/** Long enough that all requests of one transaction meet the same address (RFC 3261 §9.1). */
const CACHE_MS = 300_000;
/** Peers choose host names, so the cache is bounded. */
const CACHE_LIMIT = 256;

interface CachedAddresses {
  readonly addresses: readonly string[];
  readonly until: Instant;
}

/** Host names to addresses, remembered for five minutes; transport and port as the URI says. */
export class HostLocator implements TargetLocator {
  readonly #options: HostLocatorOptions;
  readonly #cache = new Map<string, CachedAddresses>();

  constructor(options: HostLocatorOptions) {
    this.#options = options;
  }

  known(hop: NextHop): readonly Target[] | undefined {
    const numeric = numericAddress(hop.host);
    const addresses = numeric === undefined ? this.#cached(hop.host) : [numeric];
    return addresses?.map((address) => this.#target(hop, address));
  }

  async locate(hop: NextHop): Promise<readonly Target[]> {
    const { network, clock, reaches } = this.#options;
    const found = await network.resolveHost(hop.host);
    const addresses = found.filter((address) => reaches(address));
    if (addresses.length === 0) throw unreachableFamily(found.length);
    if (this.#cache.size >= CACHE_LIMIT) this.#cache.clear();
    this.#cache.set(hop.host, { addresses, until: after(clock.now(), CACHE_MS) });
    return addresses.map((address) => this.#target(hop, address));
  }

  #target(hop: NextHop, address: string): Target {
    const transport = hop.transport ?? (hop.isSecure ? "tls" : this.#options.defaultTransport);
    const port = hop.port ?? transportTraits(transport).defaultPort;
    return { transport, address, port, host: hop.host.replaceAll(/^\[|\]$/g, "") };
  }

  #cached(host: string): readonly string[] | undefined {
    const entry = this.#cache.get(host);
    return entry !== undefined && entry.until > this.#options.clock.now()
      ? entry.addresses
      : undefined;
  }
}

/** The address that a host is, where it is no name. */
function numericAddress(host: string): string | undefined {
  if (host.startsWith("[")) return host.slice(1, -1);
  return IPV4.test(host) || host.includes(":") ? host : undefined;
}

function unreachableFamily(count: number): EnvironmentError {
  return new EnvironmentError(
    "ERR_HOST_UNRESOLVED",
    count === 0
      ? "The host of a SIP target has no address. Check its spelling and this machine's DNS."
      : "The host of a SIP target has only addresses of another family (IPv4, IPv6) than this endpoint is bound to. Bind it to an address of that family.",
  );
}
