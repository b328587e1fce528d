import { UsageError } from "../environment/index.ts";
import { addressBits, isLoopback } from "./address-bits.ts";

/** Whom a list entry permits: everybody, or one user part at a host. */
interface AllowedEntry {
  readonly user: string | undefined;
  matches(host: string): boolean;
}

/** What the list says of a host. */
export interface HostPermission {
  readonly isAllowed: boolean;
  /** An entry names the very user part. */
  readonly namesUser: boolean;
}

const NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.?$/u;

/**
 * The hosts that may be called: loopback always, others where they were permitted explicitly. Names
 * are compared as names; what they resolve to is not looked at, because whoever permits a name
 * permits what it stands for.
 */
export class AllowedHosts {
  readonly #entries: readonly AllowedEntry[];

  /**
   * @param entries each a host name, `*.domain` (any name below it), a numeric address, a network
   *   in CIDR notation, one of these behind `user@`, or `*` for every host.
   * @throws UsageError ERR_ALLOW_MALFORMED.
   */
  constructor(entries: readonly string[]) {
    this.#entries = entries.map(parseEntry);
  }

  /** @param host a name or a numeric address, IPv6 with or without brackets. */
  permissionOf(host: string, user: string): HostPermission {
    const plain = plainHost(host);
    const matching = this.#entries.filter(
      (entry) => (entry.user === undefined || entry.user === user) && entry.matches(plain),
    );
    return {
      isAllowed: isLoopback(plain) || matching.length > 0,
      namesUser: matching.some((entry) => entry.user !== undefined),
    };
  }
}

function parseEntry(text: string): AllowedEntry {
  const at = text.lastIndexOf("@");
  const user = at === -1 ? undefined : text.slice(0, at).replace(/^sips?:/iu, "");
  const written = text.slice(at + 1).trim();
  if (written === "*") return { user, matches: () => true };
  const host = plainHost(written);
  if (user === "" || host === "*") throw malformed(at);
  return { user, matches: hostMatcher(host, at) };
}

function hostMatcher(host: string, at: number): (candidate: string) => boolean {
  const network = networkMatcher(host);
  if (network !== undefined) return network;
  if (host.startsWith("*.")) {
    const domain = host.slice(1);
    if (!NAME.test(domain.slice(1))) throw malformed(at);
    return (candidate) => candidate.endsWith(domain) && candidate.length > domain.length;
  }
  if (!NAME.test(host) || /^[\d.]+$/u.test(host)) throw malformed(at);
  return (candidate) => candidate === host;
}

/** A numeric address, or a network; `undefined` for a name. */
function networkMatcher(host: string): ((candidate: string) => boolean) | undefined {
  const [address = "", lengthText, ...more] = host.split("/");
  const bits = addressBits(plainHost(address));
  if (bits === undefined || more.length > 0) return undefined;
  const length = lengthText === undefined ? bits.length : Number(lengthText);
  if (!/^\d{1,3}$/u.test(lengthText ?? "0") || length > bits.length) return undefined;
  const prefix = bits.slice(0, length);
  return (candidate) => {
    const candidateBits = addressBits(candidate);
    return candidateBits?.length === bits.length && candidateBits.startsWith(prefix);
  };
}

/** In lower case, without brackets and final dot. */
function plainHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/u, "$1")
    .replace(/(?<=.)\.$/u, "");
}

/** The entry itself is not quoted where it may hold a telephone number. */
function malformed(at: number): UsageError {
  return new UsageError(
    "ERR_ALLOW_MALFORMED",
    `An entry of the permitted hosts${at === -1 ? "" : " (one with a user part)"} cannot be understood. Give a host name, *.domain, an address, a network such as 192.0.2.0/24, or user@ and one of these; no port, and "sip:" only before a user.`,
  );
}
