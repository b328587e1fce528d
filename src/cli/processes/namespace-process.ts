/**
 * The body of a process that holds a network namespace. The one in the middle also carries the
 * packets of the two at the ends, and reads what their TCP counts; see `KernelNetwork`.
 */
import { openSync, readSync } from "node:fs";
import { after } from "../../environment/index.ts";
import {
  type EndName,
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
/** More than these files hold. */
const PROC_BYTES_MAX = 65_536;

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
  watchTcp: ({ near, far }: Record<EndName, number>): void => {
    watchTcp("near", near);
    watchTcp("far", far);
  },
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

/** @param pid of a process in the end's namespace. */
function watchTcp(end: EndName, pid: number): void {
  const files = ["snmp", "netstat"].map((name) => openSync(`/proc/${pid}/net/${name}`, "r"));
  const buffer = Buffer.alloc(PROC_BYTES_MAX);
  const textOf = (file: number): string =>
    buffer.toString("latin1", 0, readSync(file, buffer, 0, PROC_BYTES_MAX, 0));
  const read = (): string | undefined => {
    try {
      return files.map(textOf).join("");
    } catch {
      // The process has ended, which whoever started it is told as well.
      return undefined;
    }
  };
  const watch = new TcpWatch(clock, read, (sample) =>
    tell({ kind: "tcp", end, sample } satisfies HubEvent),
  );
  watch.start();
}
