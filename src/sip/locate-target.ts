import type { Clock, Network, Random } from "../environment/index.ts";
import { DnsLocator } from "./dns-locator.ts";
import { uriHop } from "./next-hop.ts";
import { parseTarget } from "./sip-uri.ts";

/**
 * The numeric address that a target is reached at first: what an agent that calls it must be able
 * to send to.
 * @throws UsageError as `parseTarget`; EnvironmentError ERR_HOST_UNRESOLVED, ERR_DNS_FAILED.
 */
export async function locateTarget(
  target: string,
  world: { readonly network: Network; readonly clock: Clock; readonly random: Random },
): Promise<string | undefined> {
  const hop = uriHop(parseTarget(target));
  if (hop === undefined) return undefined;
  const locator = new DnsLocator({
    ...world,
    dns: world.network.dns,
    defaultTransport: "udp",
    serves: () => true,
    reaches: () => true,
  });
  const [first] = locator.known(hop) ?? (await locator.locate(hop));
  return first?.address;
}
