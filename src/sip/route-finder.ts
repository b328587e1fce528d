import type { Network } from "../environment/index.ts";
import type { Route } from "./client-routes.ts";
import type { TargetLocator } from "./locate.ts";
import type { NextHop } from "./next-hop.ts";

/** Peers choose addresses, so what is remembered of them is bounded. */
const CACHE_LIMIT = 1024;

/** From a next hop to where the message goes, and from which of our addresses. */
export class RouteFinder {
  readonly #locator: TargetLocator;
  readonly #network: Network;
  readonly #addresses: readonly string[];
  readonly #towards = new Map<string, string>();

  /** @param addresses our own, each once. */
  constructor(locator: TargetLocator, network: Network, addresses: readonly string[]) {
    this.#locator = locator;
    this.#network = network;
    this.#addresses = addresses;
  }

  /** The way that is known without asking anybody. */
  known(hop: NextHop): Route | undefined {
    const target = this.#locator.known(hop)?.[0];
    if (target === undefined) return undefined;
    const candidates = this.#candidates(target.address);
    if (candidates.length < 2) return { target, localAddress: candidates[0] };
    const localAddress = this.#towards.get(target.address);
    return localAddress === undefined ? undefined : { target, localAddress };
  }

  /** @throws EnvironmentError ERR_HOST_UNRESOLVED, and what else the locator throws. */
  async find(hop: NextHop): Promise<Route> {
    const [target] = this.#locator.known(hop) ?? (await this.#locator.locate(hop));
    if (target === undefined) throw new Error("Bug: the locator gave no target, and no error.");
    return { target, localAddress: await this.#sourceTowards(target.address) };
  }

  async #sourceTowards(remote: string): Promise<string | undefined> {
    const candidates = this.#candidates(remote);
    if (candidates.length < 2) return candidates[0];
    const chosen = await this.#network.localAddressTowards(remote);
    const source = candidates.find((address) => address === chosen) ?? candidates[0];
    if (this.#towards.size >= CACHE_LIMIT) this.#towards.clear();
    this.#towards.set(remote, source as string);
    return source;
  }

  /** Our addresses of the family of `remote`. */
  #candidates(remote: string): readonly string[] {
    return this.#addresses.filter((address) => address.includes(":") === remote.includes(":"));
  }
}
