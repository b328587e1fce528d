/**
 * The body of a process that holds a network namespace. The one in the middle also carries the
 * packets of the two at the ends; see `KernelNetwork`.
 */
import type { NetworkPlan } from "../../impairment/index.ts";
import { type HubReport, type HubSettings, PacketHub } from "../../impairment/index.ts";
import { NodeNetwork, PunctualClock, serveNamespace } from "../../platform/index.ts";

const clock = new PunctualClock();
let hub: PacketHub | undefined;

serveNamespace({
  openHub: async (settings: HubSettings): Promise<void> => {
    hub = await PacketHub.open(new NodeNetwork(clock), clock, settings);
  },
  changeHub: (plan: NetworkPlan): void => hub?.change(plan),
  readHub: (): HubReport | undefined => hub?.report,
});
