/**
 * The body of a process that holds a network namespace. The one in the middle also carries the
 * packets of the two at the ends, which count what their TCP does; see `KernelNetwork`.
 */
import { readFileSync } from "node:fs";
import { after } from "../../environment/index.ts";
import {
  type HubEvent,
  type HubReport,
  type HubSettings,
  type HubWrite,
  type NetworkPlan,
  PacketHub,
  TcpWatch,
} from "../../impairment/index.ts";
import { NodeNetwork, PunctualClock, SystemClock, serveNamespace } from "../../platform/index.ts";

const COUNTS_MS = 100;

const clock = new SystemClock();
let hub: PacketHub | undefined;

const tell = serveNamespace({
  openHub: async (settings: HubSettings): Promise<void> => {
    const hubClock = settings.isPunctual ? new PunctualClock() : clock;
    const opened = await PacketHub.open(new NodeNetwork(hubClock), hubClock, settings);
    opened.onStall = (direction, stall) => {
      tell({ kind: "stall", direction, stall } satisfies HubEvent);
    };
    hub = opened;
    tellCounts();
  },
  changeHub: (plan: NetworkPlan): void => hub?.change(plan),
  noteWritten: ({ direction, ...write }: HubWrite): void => hub?.handleWritten(direction, write),
  readHub: (): HubReport | undefined => hub?.report,
  watchTcp: (): void => new TcpWatch(clock, readTcpCounters, tell).start(),
});

let lastOffered = -1;

function tellCounts(): void {
  const counts = hub?.report.counts;
  const offered = (counts?.sent.offered ?? 0) + (counts?.received.offered ?? 0);
  if (counts !== undefined && (offered !== lastOffered || counts.sent.underWay > 0)) {
    tell({ kind: "counts", counts } satisfies HubEvent);
  }
  lastOffered = offered;
  clock.setTimer(after(clock.now(), COUNTS_MS), tellCounts);
}

function readTcpCounters(): string {
  return readFileSync("/proc/net/snmp", "utf8") + readFileSync("/proc/net/netstat", "utf8");
}
