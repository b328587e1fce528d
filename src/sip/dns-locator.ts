import {
  after,
  type Clock,
  type Dns,
  EnvironmentError,
  type Instant,
  type Random,
} from "../environment/index.ts";
import { addressBits, isLoopback } from "./address-bits.ts";
import type { Target, TargetLocator } from "./locate.ts";
import type { NextHop } from "./next-hop.ts";
import { orderServers, type Service, servicesIn, srvNameOf } from "./server-selection.ts";
import { type SipTransport, transportTraits } from "./transport-name.ts";

export interface DnsLocatorOptions {
  readonly dns: Dns;
  readonly clock: Clock;
  /** Draws among servers of one priority. */
  readonly random: Random;
  /** For hops that name no transport, and the one that is looked for first. */
  readonly defaultTransport: SipTransport;
  /** Whether this transport can be used from here. */
  readonly serves: (transport: SipTransport) => boolean;
  /** Whether addresses of this family can be reached from here. */
  readonly reaches: (address: string) => boolean;
}

/** Where the resolver tells no lifetime: as long as a change of records may go unnoticed. */
const DEFAULT_LIFETIME_MS = 60_000;
/** Nobody's records are believed for longer, nor are they asked for with every message. */
const LONGEST_LIFETIME_MS = 300_000;
const SHORTEST_LIFETIME_MS = 1000;
/** Peers choose host names, so the cache is bounded. */
const CACHE_LIMIT = 256;
/** Each costs a time-out where it is dead, and its records were chosen by somebody else. */
const TARGETS_MAX = 8;

/** Servers that are as good as each other are drawn anew for each request, addresses are not. */
interface Server {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** The host's name, for the draw only. */
  readonly target: string;
  readonly transport: SipTransport;
  readonly addresses: readonly string[];
}

/** One group after the other: services of NAPTR, or transports. */
interface Located {
  readonly groups: readonly (readonly Server[])[];
  readonly until: Instant;
}

/**
 * Finds the servers of a next hop by RFC 3263 §4 (requests) and §5 (responses): NAPTR, SRV with
 * priorities and weights (RFC 2782), A and AAAA; as much of it as the URI leaves open. What DNS
 * said is remembered as long as it says, five minutes at most.
 */
export class DnsLocator implements TargetLocator {
  readonly #options: DnsLocatorOptions;
  readonly #cache = new Map<string, Located>();
  readonly #asking = new Map<string, Promise<Located>>();

  constructor(options: DnsLocatorOptions) {
    this.#options = options;
  }

  known(hop: NextHop): readonly Target[] | undefined {
    const numeric = numericAddress(hop.host);
    if (numeric !== undefined) return [this.#numericTarget(hop, numeric)];
    const located = this.#cache.get(keyOf(hop));
    if (located === undefined || located.until <= this.#options.clock.now()) return undefined;
    return this.#targetsOf(located, hop);
  }

  async locate(hop: NextHop): Promise<readonly Target[]> {
    const key = keyOf(hop);
    // A hundred calls that begin at once ask once.
    const asking = this.#asking.get(key) ?? this.#ask(hop, key);
    return this.#targetsOf(await asking, hop);
  }

  #ask(hop: NextHop, key: string): Promise<Located> {
    const asking = this.#lookUp(hop).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking.then((located) => {
      if (this.#cache.size >= CACHE_LIMIT) this.#cache.clear();
      this.#cache.set(key, located);
      return located;
    });
  }

  async #lookUp(hop: NextHop): Promise<Located> {
    const search = new Search(this.#options, hop.host.toLowerCase());
    const groups = await search.groupsOf(hop);
    if (groups.length === 0) throw search.failure();
    return { groups, until: after(this.#options.clock.now(), search.lifetimeMs) };
  }

  #targetsOf({ groups }: Located, hop: NextHop): readonly Target[] {
    return groups
      .flatMap((group) => orderServers(group, this.#options.random) as readonly Server[])
      .flatMap(({ addresses, port, transport }) =>
        // RFC 5922 §4: a server proves the domain that was asked for, not its own name.
        addresses.map((address) => ({ address, port, transport, host: hop.host })),
      )
      .slice(0, TARGETS_MAX);
  }

  /** RFC 3263 §4.1, §4.2: nothing to look up. */
  #numericTarget(hop: NextHop, address: string): Target {
    const transport = transportOf(hop, this.#options.defaultTransport);
    const port = hop.port ?? transportTraits(transport).defaultPort;
    return { transport, address, port, host: address };
  }
}

/** One search through DNS, and what it learnt on the way. */
class Search {
  readonly #options: DnsLocatorOptions;
  readonly #host: string;
  #lifetimeMs = LONGEST_LIFETIME_MS;
  #trouble: unknown;
  #foreignAddresses = 0;
  #isDenied = false;

  constructor(options: DnsLocatorOptions, host: string) {
    this.#options = options;
    this.#host = host;
  }

  get lifetimeMs(): number {
    return Math.max(SHORTEST_LIFETIME_MS, this.#lifetimeMs);
  }

  async groupsOf(hop: NextHop): Promise<readonly (readonly Server[])[]> {
    const { defaultTransport } = this.#options;
    const isSpecial = isLoopback(this.#host) || isWebSocket(hop.transport ?? defaultTransport);
    // §4.2: with a port there is nothing to choose. RFC 6761 §6.3: localhost is not in DNS.
    if (hop.port === undefined && !isSpecial) {
      const groups = await this.#serviceGroups(hop);
      if (groups.length > 0 || this.#isDenied) return groups;
    }
    const transport = transportOf(hop, defaultTransport);
    const port = hop.port ?? transportTraits(transport).defaultPort;
    const addresses = await this.#addressesOf(this.#host);
    if (addresses.length === 0) return [];
    return [[{ priority: 0, weight: 0, port, target: this.#host, transport, addresses }]];
  }

  failure(): EnvironmentError {
    if (this.#trouble instanceof EnvironmentError) return this.#trouble;
    return unresolved(this.#host, { foreign: this.#foreignAddresses, isDenied: this.#isDenied });
  }

  /** §4.1: by NAPTR; else by the SRV records of each transport that we have. */
  async #serviceGroups(hop: NextHop): Promise<readonly (readonly Server[])[]> {
    const wanted = (transport: SipTransport): boolean =>
      this.#options.serves(transport) &&
      (hop.transport === undefined || hop.transport === transport) &&
      (!hop.isSecure || transport === "tls");
    if (hop.transport === undefined) {
      const records = await this.#asked(() => this.#options.dns.resolveNaptr(this.#host), "short");
      const offered = servicesIn(records, wanted);
      const groups = await this.#serversOf(offered);
      if (groups.length > 0) return groups;
    }
    const { defaultTransport } = this.#options;
    const transports = new Set<SipTransport>([defaultTransport, "udp", "tcp"]);
    if (hop.isSecure || hop.transport === "tls") transports.add("tls");
    const services = [...transports]
      .filter(wanted)
      .map((transport) => ({ name: srvNameOf(this.#host, transport), transport }));
    return this.#serversOf(services);
  }

  async #serversOf(services: readonly Service[]): Promise<readonly (readonly Server[])[]> {
    const groups = await Promise.all(services.map((service) => this.#group(service)));
    return groups.filter((group) => group.length > 0);
  }

  async #group({ name, transport }: Service): Promise<readonly Server[]> {
    const records = await this.#asked(() => this.#options.dns.resolveSrv(name), "short");
    // RFC 2782: a single record with the root as target says "decidedly not here".
    if (records.length === 1 && records[0]?.target === ".") this.#isDenied = true;
    const servers = await Promise.all(
      records
        .filter(({ target }) => target !== ".")
        .slice(0, TARGETS_MAX)
        .map(async (record) => {
          const addresses = await this.#addressesOf(record.target.toLowerCase());
          return { ...record, transport, addresses };
        }),
    );
    return servers.filter(({ addresses }) => addresses.length > 0);
  }

  async #addressesOf(host: string): Promise<readonly string[]> {
    if (/^(?:.+\.)?localhost$/u.test(host)) {
      return ["127.0.0.1", "::1"].filter((address) => this.#options.reaches(address));
    }
    const numeric = numericAddress(host);
    if (numeric !== undefined) return [numeric];
    const records = await this.#asked(() => this.#options.dns.resolveAddresses(host));
    for (const { ttlMs = DEFAULT_LIFETIME_MS } of records) this.#liveNoLongerThan(ttlMs);
    const reachable = records.filter(({ address }) => this.#options.reaches(address));
    this.#foreignAddresses += records.length - reachable.length;
    return reachable.map(({ address }) => address);
  }

  /** Trouble with one kind of records does not hide that another kind leads there. */
  async #asked<Found>(
    ask: () => Promise<readonly Found[]>,
    lifetime?: "short",
  ): Promise<readonly Found[]> {
    // Of NAPTR and SRV records the host's resolver tells no lifetime.
    if (lifetime === "short") this.#liveNoLongerThan(DEFAULT_LIFETIME_MS);
    try {
      return await ask();
    } catch (error) {
      this.#trouble ??= error;
      this.#liveNoLongerThan(SHORTEST_LIFETIME_MS);
      return [];
    }
  }

  #liveNoLongerThan(ms: number): void {
    this.#lifetimeMs = Math.min(this.#lifetimeMs, ms);
  }
}

function transportOf(hop: NextHop, defaultTransport: SipTransport): SipTransport {
  if (hop.transport !== undefined) return hop.transport;
  if (!hop.isSecure) return defaultTransport;
  return defaultTransport === "ws" || defaultTransport === "wss" ? "wss" : "tls";
}

function isWebSocket(transport: SipTransport): boolean {
  return transport === "ws" || transport === "wss";
}

/** The address that a host is, where it is no name. */
function numericAddress(host: string): string | undefined {
  const plain = host.replaceAll(/^\[|\]$/gu, "");
  return addressBits(plain) === undefined ? undefined : plain;
}

function keyOf({ host, port, transport, isSecure }: NextHop): string {
  return `${host.toLowerCase()} ${port ?? ""} ${transport ?? ""} ${String(isSecure)}`;
}

function unresolved(
  host: string,
  found: { readonly foreign: number; readonly isDenied: boolean },
): EnvironmentError {
  const reason = reasonOf(found);
  return new EnvironmentError("ERR_HOST_UNRESOLVED", `The host "${host}" ${reason}`, {
    context: { host },
  });
}

function reasonOf({
  foreign,
  isDenied,
}: {
  readonly foreign: number;
  readonly isDenied: boolean;
}): string {
  if (isDenied) return 'says by an SRV record with the target "." that it has no SIP service.';
  if (foreign === 0) return "has no address. Check its spelling and this machine's DNS.";
  return "has only addresses of another family (IPv4, IPv6) than this endpoint is bound to. Bind it to an address of that family.";
}
