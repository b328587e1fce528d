import { type IncomingResponseMessage, NameAddrHeader, type URI } from "sip.js/lib/core/index.js";
import { isSidetoneError } from "../environment/index.ts";
import type { DialogSettings } from "./dialog-settings.ts";
import { parseTarget } from "./sip-uri.ts";

/** How many redirections one call follows. */
const REDIRECTS_MAX = 5;
/** How many targets one call tries, whatever the peers list. */
const TARGETS_MAX = 10;

interface Candidate {
  readonly uri: URI;
  readonly preference: number;
}

/**
 * Where a redirected call is to go next: the Contacts of all 3xx responses in the order of their
 * q-values, none twice (RFC 3261 §8.1.3.4). None at all where redirections are only reported.
 */
export class RedirectTargets {
  readonly #follows: boolean;
  readonly #seen: Set<string>;
  #candidates: Candidate[] = [];
  #redirections = 0;

  constructor(first: URI, { redirects = "report" }: DialogSettings) {
    this.#follows = redirects === "follow";
    this.#seen = new Set([keyOf(first)]);
  }

  /** Takes the Contacts of a 3xx; its own go before those that are left from others. */
  add(response: IncomingResponseMessage): void {
    this.#redirections += 1;
    if (!this.#follows || this.#redirections > REDIRECTS_MAX) {
      this.#candidates = [];
      return;
    }
    const added: Candidate[] = [];
    for (const { parsed } of response.headers["Contact"] ?? []) {
      const candidate = parsed instanceof NameAddrHeader ? candidateOf(parsed) : undefined;
      if (candidate === undefined || this.#seen.has(keyOf(candidate.uri))) continue;
      if (this.#seen.size > TARGETS_MAX) break;
      this.#seen.add(keyOf(candidate.uri));
      added.push(candidate);
    }
    const sorted = added.toSorted((left, right) => right.preference - left.preference);
    this.#candidates = [...sorted, ...this.#candidates];
  }

  /** There is nobody else to try. */
  clear(): void {
    this.#candidates = [];
  }

  next(): URI | undefined {
    return this.#candidates.shift()?.uri;
  }
}

/** What we cannot call is left out, as if it had not been listed. */
function candidateOf(contact: NameAddrHeader): Candidate | undefined {
  const uri = contact.uri.clone();
  // RFC 3261 §8.1.3.4: the method of a Contact is not for us.
  uri.clearHeaders();
  uri.deleteParam("method");
  const preference = Number(contact.getParam("q") ?? 1);
  try {
    return {
      uri: parseTarget(uri.toString()),
      preference: preference >= 0 && preference <= 1 ? preference : 0,
    };
  } catch (error) {
    if (isSidetoneError(error)) return undefined;
    throw error;
  }
}

/** Good enough to notice that a call goes in a circle. */
function keyOf(uri: URI): string {
  return `${uri.user ?? ""}@${uri.host.toLowerCase()}:${uri.port ?? ""}`;
}
