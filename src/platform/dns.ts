import { lookup, Resolver } from "node:dns/promises";
import {
  type AddressRecord,
  type Dns,
  EnvironmentError,
  type NaptrRecord,
  type SrvRecord,
  UsageError,
} from "../environment/index.ts";

/** A server that does not answer is asked twice. A call waits for this, so it is short. */
const QUERY_TIMEOUT_MS = 1500;
const QUERY_TRIES = 2;
/** What the servers say where a name has no record of the kind. */
const NO_RECORD_CODES = new Set(["ENODATA", "ENOTFOUND", "ENONAME"]);
const MS_PER_SECOND = 1000;

/** The host's name service, or DNS servers of the user's own. */
export class NodeDns implements Dns {
  readonly #resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
  readonly #hasOwnServers: boolean;

  /**
   * @param servers "192.0.2.53", "192.0.2.53:5353", "[2001:db8::53]:5353"; none: the host's.
   * @throws UsageError ERR_DNS_SERVER_MALFORMED.
   */
  constructor(servers: readonly string[] = []) {
    this.#hasOwnServers = servers.length > 0;
    if (!this.#hasOwnServers) return;
    try {
      this.#resolver.setServers(servers);
    } catch (cause) {
      throw new UsageError(
        "ERR_DNS_SERVER_MALFORMED",
        `A DNS server must be a numeric address, with or without a port: 192.0.2.53, 192.0.2.53:5353, [2001:db8::53]:5353. Given: ${servers.join(", ")}.`,
        { cause },
      );
    }
  }

  async resolveNaptr(name: string): Promise<readonly NaptrRecord[]> {
    const found = await asked(name, "NAPTR", () => this.#resolver.resolveNaptr(name));
    return found.map((record) => ({
      order: record.order,
      preference: record.preference,
      flags: record.flags,
      service: record.service,
      regexp: record.regexp,
      replacement: record.replacement,
    }));
  }

  async resolveSrv(name: string): Promise<readonly SrvRecord[]> {
    const found = await asked(name, "SRV", () => this.#resolver.resolveSrv(name));
    return found.map(({ priority, weight, port, name: target }) => ({
      priority,
      weight,
      port,
      // Node gives the root as an empty name.
      target: target === "" ? "." : target,
    }));
  }

  async resolveAddresses(name: string): Promise<readonly AddressRecord[]> {
    // The host's own way knows /etc/hosts and more, but tells no lifetimes.
    if (!this.#hasOwnServers) return asked(name, "A", () => lookup(name, { all: true }));
    const [four, six] = await Promise.allSettled([
      asked(name, "A", () => this.#resolver.resolve4(name, { ttl: true })),
      asked(name, "AAAA", () => this.#resolver.resolve6(name, { ttl: true })),
    ]);
    if (four.status === "rejected" && six.status === "rejected") throw four.reason as Error;
    return [four, six]
      .flatMap((result) => (result.status === "fulfilled" ? result.value : []))
      .map(({ address, ttl }) => ({ address, ttlMs: ttl * MS_PER_SECOND }));
  }
}

async function asked<Found>(
  name: string,
  kind: string,
  ask: () => Promise<readonly Found[]>,
): Promise<readonly Found[]> {
  try {
    return await ask();
  } catch (cause) {
    const { code = "" } = cause as NodeJS.ErrnoException;
    if (NO_RECORD_CODES.has(code)) return [];
    throw new EnvironmentError(
      "ERR_DNS_FAILED",
      `The DNS servers gave no answer for the ${kind} records of "${name}" (${code || "no reason given"}). Check this machine's DNS, or name other servers with --dns.`,
      { context: { name, kind, code }, cause },
    );
  }
}
