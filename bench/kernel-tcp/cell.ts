import { after, type Clock, present, type StreamConnection } from "../../src/environment/index.ts";
import { type HubReport, KernelNetwork, type KernelTcpFacts } from "../../src/impairment/index.ts";
import { compiledModule, NodeNamespaceHost } from "../../src/platform/index.ts";
import { bursts, frames, sendTraffic, TrafficReceiver, trafficFigures } from "./traffic.ts";

/** One cell of a study: one connection over one network. */
export interface Cell {
  readonly rttMs: number;
  /** Bernoulli, of all packets both ways. */
  readonly lossRatio: number;
  readonly congestionControl: string;
  /** Frames go from the near end, as from a bridge; bursts from the far one, as from an AI. */
  readonly traffic: "frames" | "bursts";
  readonly durationMs: number;
  readonly seed: string;
}

/** What came of it. */
export interface CellResult {
  readonly excessMs: readonly number[];
  readonly stallsPerMinute: number;
  /** Messages that had not come a while after the last was sent. */
  readonly missing: number;
  /** How late messages were sent by this process, at the most. */
  readonly sentLateMsMax: number;
  /** `undefined` where the middle is no hub. */
  readonly hub: HubReport | undefined;
  readonly facts: KernelTcpFacts;
}

const PORT = 8080;
const CONNECT_LIMIT_MS = 30_000;
const START_MS = 300;
/** What has not come so long after the last message was sent is missing. */
const LAST_LIMIT_MS = 10_000;

/** Sends the cell's traffic over the kernel's TCP. Clock: both ends are in this process. */
export async function runCell(clock: Clock, cell: Cell): Promise<CellResult> {
  const { rttMs, lossRatio, congestionControl, seed } = cell;
  const way = {
    delay: { delayMs: rttMs / 2 },
    ...(lossRatio > 0 ? { loss: { kind: "bernoulli" as const, lossRatio } } : {}),
  };
  const host = new NodeNamespaceHost(
    clock,
    compiledModule("src/cli/processes/namespace-process.js"),
  );
  const network = await KernelNetwork.open(host, {
    plan: { sent: way, received: way },
    seed,
    congestionControl,
  });
  try {
    const { near, far } = await connectionOf(network, clock);
    const traffic = cell.traffic === "frames" ? frames(cell.durationMs) : bursts(cell.durationMs);
    const [from, to] = cell.traffic === "frames" ? [near, far] : [far, near];
    const receiver = new TrafficReceiver(traffic);
    to.onData = (data, arrivedAt) => receiver.handleData(data, arrivedAt);
    const startAt = after(clock.now(), START_MS);
    const sentAt = await sendTraffic(from, traffic, { clock, startAt });
    await waitUntil(clock, () => receiver.isComplete);
    const figures = trafficFigures(sentAt, receiver.arrivedAt, rttMs / 2);
    return {
      excessMs: figures.excessMs,
      stallsPerMinute: figures.stallsPerMinute,
      missing: sentAt.length - receiver.arrivedAt.length,
      sentLateMsMax: Math.max(
        ...sentAt.map((at, index) => at - startAt - (traffic.messages[index]?.atMs ?? 0)),
      ),
      hub: await network.report(),
      facts: await network.facts(),
    };
  } finally {
    await network.close();
  }
}

async function connectionOf(
  network: KernelNetwork,
  clock: Clock,
): Promise<{ near: StreamConnection; far: StreamConnection }> {
  const address = network.address("far");
  const accepted: StreamConnection[] = [];
  await network.far.listenStream(
    { address, port: PORT },
    { onConnection: (connection) => accepted.push(connection) },
  );
  const near = await network.near.connectStream({ address, port: PORT }, CONNECT_LIMIT_MS);
  // The other end learns of it half a round trip later, and again later where a packet is lost.
  await waitUntil(clock, () => accepted.length > 0);
  return { near, far: present(accepted[0], "nobody else connects") };
}

function waitUntil(clock: Clock, isDone: () => boolean): Promise<void> {
  const limit = after(clock.now(), LAST_LIMIT_MS);
  return new Promise((resolve) => {
    const look = (): void => {
      if (isDone() || clock.now() > limit) resolve();
      else clock.setTimer(after(clock.now(), 20), look);
    };
    look();
  });
}
