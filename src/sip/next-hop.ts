import {
  after,
  type Clock,
  type Instant,
  type Network,
  type SocketAddress,
} from "../environment/index.ts";
import type { MessagePeek } from "./message-peek.ts";
import { DEFAULT_SIP_PORT } from "./sip-uri.ts";
import { parseNameAddr, parseUri } from "./wire-uri.ts";

/** Where a message goes, before its host name is resolved. */
export interface NextHop {
  /** A name, an IPv4 address or a bracketed IPv6 address. */
  readonly host: string;
  readonly port: number;
}

/**
 * The next hop of an outgoing message; `undefined` where it names none.
 *
 * Requests: the first Route, else the Request-URI (RFC 3261 §8.1.2, §12.2.1.1). Responses: back to
 * where the request came from, as the top Via tells (RFC 3261 §18.2.2, RFC 3581 §4).
 */
export function nextHopOf(peek: MessagePeek): NextHop | undefined {
  if (peek.statusCode !== undefined) return responseHop(peek);
  const uri =
    peek.route === undefined ? parseUri(peek.requestUri ?? "") : parseNameAddr(peek.route)?.uri;
  if (uri === undefined || !uri.scheme.startsWith("sip")) return undefined;
  // RFC 3263 §4: maddr, where present, takes the host's place.
  return { host: uri.getParam("maddr") ?? uri.host, port: uri.port ?? DEFAULT_SIP_PORT };
}

function responseHop(peek: MessagePeek): NextHop | undefined {
  const { via } = peek;
  if (via === undefined) return undefined;
  const port = Number(via.rport ?? via.port ?? DEFAULT_SIP_PORT);
  return { host: via.received ?? via.host, port };
}

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;

/** Long enough that all requests of one transaction meet the same address (RFC 3261 §9.1). */
const CACHE_MS = 300_000;
/** Peers choose host names, so the cache is bounded. */
const CACHE_LIMIT = 256;

interface CachedAddress {
  readonly address: string;
  readonly until: Instant;
}

/** Host names to addresses, remembered for five minutes. Only the first address is tried. */
export class NextHopResolver {
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #cache = new Map<string, CachedAddress>();

  constructor(network: Network, clock: Clock) {
    this.#network = network;
    this.#clock = clock;
  }

  /** The address of a hop whose host is numeric or was resolved lately. */
  known(hop: NextHop): SocketAddress | undefined {
    const address = numericAddress(hop.host) ?? this.#cached(hop.host);
    return address === undefined ? undefined : { address, port: hop.port };
  }

  /** @throws EnvironmentError ERR_HOST_UNRESOLVED. */
  async resolve(hop: NextHop): Promise<SocketAddress> {
    const [address] = await this.#network.resolveHost(hop.host);
    if (address === undefined) throw new Error("The resolver gave no address.");
    if (this.#cache.size >= CACHE_LIMIT) this.#cache.clear();
    this.#cache.set(hop.host, { address, until: after(this.#clock.now(), CACHE_MS) });
    return { address, port: hop.port };
  }

  #cached(host: string): string | undefined {
    const entry = this.#cache.get(host);
    return entry !== undefined && entry.until > this.#clock.now() ? entry.address : undefined;
  }
}

function numericAddress(host: string): string | undefined {
  if (host.startsWith("[")) return host.slice(1, -1);
  return IPV4.test(host) || host.includes(":") ? host : undefined;
}
