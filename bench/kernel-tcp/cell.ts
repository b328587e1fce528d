import {
  after,
  type Clock,
  type Instant,
  present,
  type StreamConnection,
  seededRandom,
} from "../../src/environment/index.ts";
import { type HubReport, KernelNetwork, type KernelTcpFacts } from "../../src/impairment/index.ts";
import { compiledModule, NodeNamespaceHost } from "../../src/platform/index.ts";
import {
  bursts,
  frames,
  G711_FRAME_BYTES,
  PCM_FRAME_BYTES,
  sendTraffic,
  type Traffic,
  TrafficReceiver,
  trafficFigures,
} from "./traffic.ts";

/** One cell of a study: one connection over one network. */
export interface Cell {
  readonly rttMs: number;
  /** Bernoulli, of all packets both ways. */
  readonly lossRatio: number;
  readonly congestionControl: string;
  /**
   * Frames, of G.711 or of PCM, go from the near end, as from a bridge; bursts from the far one, as
   * from an AI.
   */
  readonly traffic: "g711" | "frames" | "bursts";
  readonly durationMs: number;
  readonly seed: string;
}

/** What came of it. */
export interface CellResult {
  /** Of each of its connections. */
  readonly connections: readonly ConnectionResult[];
  /** `undefined` where the middle is no hub. */
  readonly hub: HubReport | undefined;
  readonly facts: KernelTcpFacts;
}

/** What came of one connection. */
export interface ConnectionResult {
  readonly excessMs: readonly number[];
  readonly stallsPerMinute: number;
  /** Messages that had not come a while after the last was sent. */
  readonly missing: number;
  /** How late messages were sent by this process, at the most. */
  readonly sentLateMsMax: number;
}

const PORT = 8080;
const CONNECT_LIMIT_MS = 30_000;
const START_MS = 300;
/** Connections begin at random within it, so that their frames do not meet. */
const SPREAD_MS = 1000;
/** What has not come so long after the last message was sent is missing. */
const LAST_LIMIT_MS = 10_000;

/**
 * Sends the cell's traffic over the kernel's TCP, on so many connections: loss without memory and a
 * constant delay give each its own fate, though they share a link. Clock: both ends are in this
 * process.
 */
export async function runCell(clock: Clock, cell: Cell, connections = 1): Promise<CellResult> {
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
    isPunctual: true,
  });
  try {
    const random = seededRandom(seed);
    const pairs = await connectionsOf(network, clock, connections);
    const ready = after(clock.now(), START_MS);
    const results = await Promise.all(
      pairs.map((pair) =>
        runConnection(clock, cell, { ...pair, startAt: after(ready, SPREAD_MS * random()) }),
      ),
    );
    return { connections: results, hub: await network.report(), facts: await network.facts() };
  } finally {
    await network.close();
  }
}

async function runConnection(
  clock: Clock,
  cell: Cell,
  { near, far, startAt }: Ends & { readonly startAt: Instant },
): Promise<ConnectionResult> {
  const traffic = trafficOf(cell);
  const [from, to] = cell.traffic === "bursts" ? [far, near] : [near, far];
  const receiver = new TrafficReceiver(traffic);
  to.onData = (data, arrivedAt) => receiver.handleData(data, arrivedAt);
  const sentAt = await sendTraffic(from, traffic, { clock, startAt });
  await waitUntil(clock, () => receiver.isComplete);
  const figures = trafficFigures(sentAt, receiver.arrivedAt, cell.rttMs / 2);
  return {
    excessMs: figures.excessMs,
    stallsPerMinute: figures.stallsPerMinute,
    missing: sentAt.length - receiver.arrivedAt.length,
    sentLateMsMax: Math.max(
      ...sentAt.map((at, index) => at - startAt - (traffic.messages[index]?.atMs ?? 0)),
    ),
  };
}

/** What a cell's sender has to send. */
export function trafficOf({ traffic, durationMs }: Cell): Traffic {
  if (traffic === "bursts") return bursts(durationMs);
  return frames(durationMs, traffic === "g711" ? G711_FRAME_BYTES : PCM_FRAME_BYTES);
}

interface Ends {
  readonly near: StreamConnection;
  readonly far: StreamConnection;
}

/** One after another, so that the two ends of each are known. */
async function connectionsOf(network: KernelNetwork, clock: Clock, count: number): Promise<Ends[]> {
  const address = network.address("far");
  const accepted: StreamConnection[] = [];
  await network.far.listenStream(
    { address, port: PORT },
    { onConnection: (connection) => accepted.push(connection) },
  );
  const pairs: Ends[] = [];
  while (pairs.length < count) {
    const near = await network.near.connectStream({ address, port: PORT }, CONNECT_LIMIT_MS);
    // The other end learns of it half a round trip later, and again later where a packet is lost.
    await waitUntil(clock, () => accepted.length > pairs.length);
    pairs.push({ near, far: present(accepted.at(-1), "nobody else connects") });
  }
  return pairs;
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
