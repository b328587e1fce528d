import type { Clock, Network } from "../environment/index.ts";
import type { Route } from "./client-routes.ts";
import type { Target, TargetLocator } from "./locate.ts";
import type { NextHop } from "./next-hop.ts";
import { TargetPlans } from "./target-plans.ts";

/** Peers choose addresses, so what is remembered of them is bounded. */
const CACHE_LIMIT = 1024;

/** From a next hop to where the message goes, and from which of our addresses. */
export class RouteFinder {
  readonly #locator: TargetLocator;
  readonly #network: Network;
  readonly #clock: Clock;
  readonly #addresses: readonly string[];
  readonly #towards = new Map<string, string>();
  readonly #plans = new TargetPlans();

  /** @param addresses our own, each once. */
  constructor(
    locator: TargetLocator,
    { network, clock }: { readonly network: Network; readonly clock: Clock },
    addresses: readonly string[],
  ) {
    this.#locator = locator;
    this.#network = network;
    this.#clock = clock;
    this.#addresses = addresses;
  }

  /**
   * The way that is known without asking anybody.
   * @param callId of a request: those of one call keep to one of several servers.
   */
  known(hop: NextHop, callId?: string): Route | undefined {
    const target = this.#chosen(hop, callId);
    if (target === undefined) return undefined;
    const candidates = this.#candidates(target.address);
    if (candidates.length < 2) return { target, localAddress: candidates[0] };
    const localAddress = this.#towards.get(target.address);
    return localAddress === undefined ? undefined : { target, localAddress };
  }

  /** @throws EnvironmentError ERR_HOST_UNRESOLVED, ERR_DNS_FAILED. */
  async find(hop: NextHop, callId?: string): Promise<Route> {
    const target =
      this.#chosen(hop, callId) ?? this.#choose(hop, callId, await this.#locator.locate(hop));
    if (target === undefined) throw new Error("Bug: the locator gave no target, and no error.");
    return { target, localAddress: await this.#sourceTowards(target.address) };
  }

  /** Whether another server is left for this call; `undefined` where none was chosen yet. */
  hasNext(hop: NextHop, callId: string): boolean | undefined {
    return this.#plans.hasNext(planKey(hop, callId), this.#clock.now());
  }

  /** The server of this call failed; false where no other is left. */
  advance(hop: NextHop, callId: string): boolean {
    return this.#plans.advance(planKey(hop, callId), this.#clock.now());
  }

  #chosen(hop: NextHop, callId: string | undefined): Target | undefined {
    const kept =
      callId === undefined
        ? undefined
        : this.#plans.chosen(planKey(hop, callId), this.#clock.now());
    return kept ?? this.#choose(hop, callId, this.#locator.known(hop) ?? []);
  }

  #choose(
    hop: NextHop,
    callId: string | undefined,
    targets: readonly Target[],
  ): Target | undefined {
    const [first] = targets;
    if (callId === undefined || first === undefined) return first;
    return this.#plans.choose(planKey(hop, callId), targets, this.#clock.now());
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

function planKey({ host, port, transport }: NextHop, callId: string): string {
  return `${callId} ${host} ${port ?? ""} ${transport ?? ""}`;
}
