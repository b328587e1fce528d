import {
  after,
  type Clock,
  type ConnectOptions,
  isSidetoneError,
  type MessageSocket,
  type NamespaceHost,
  type Network,
  type SocketAddress,
  type StreamConnection,
  type Timer,
} from "../../environment/index.ts";
import {
  type AiNetwork,
  type AiPath,
  type AiPathCounts,
  checkAiNetwork,
  RelayedNetwork,
  type TcpCounts,
} from "../ai-path.ts";
import type { NetworkDirection, NetworkPlan } from "../profiles.ts";
import { joinStreams } from "./join-streams.ts";
import { KernelNetwork } from "./kernel-network.ts";
import type { EndName, KernelBackend } from "./layout.ts";
import { SAMPLE_MS, stallCauses } from "./stall-causes.ts";
import type { FlowStall } from "./stall-watch.ts";
import type { TcpCounters } from "./tcp-counters.ts";
import { TcpRecord } from "./tcp-record.ts";

/** What a path of the kernel's own TCP is made of. */
export interface KernelPathParts {
  readonly clock: Clock;
  /** The host's own, beyond the injured one. */
  readonly network: Network;
  readonly namespaces: NamespaceHost;
  /** The AI's host. */
  readonly remote: SocketAddress;
  readonly plan: AiNetwork;
  readonly seed: string;
}

const PORT = 443;
const CONNECT_LIMIT_MS = 10_000;
/** How long after a stall its sender's counters are known: two readings, and the way here. */
const COUNTERS_KNOWN_MS = 3 * SAMPLE_MS;
/** How often a router is asked for its counts. */
const COUNTS_MS = 250;

/**
 * A bridge's WebSocket on the kernel's own TCP, through a network of namespaces: its socket lies in
 * the near one, so that nothing stands between it and the injured network. What arrives in the far
 * one is carried on to the AI's host by a relay in this process.
 *
 * @throws as `KernelNetwork.open`.
 */
export async function openKernelPath(parts: KernelPathParts): Promise<AiPath> {
  const { plan, seed, namespaces } = parts;
  const { congestionControl = "cubic", backend = "hub", sent, received } = plan;
  const beneath = await KernelNetwork.open(namespaces, {
    seed,
    congestionControl,
    backend,
    plan: {
      ...(sent === undefined ? {} : { sent }),
      ...(received === undefined ? {} : { received }),
    },
  });
  const path = new KernelPath(parts, beneath);
  try {
    await path.listen();
  } catch (error) {
    await beneath.close();
    throw error;
  }
  path.followCounts();
  return path;
}

class KernelPath implements AiPath {
  readonly transport = "tcp-kernel";
  readonly backend: KernelBackend;
  readonly network: Network;
  onStall: AiPath["onStall"];
  onFailed: AiPath["onFailed"];
  onTcpState: AiPath["onTcpState"];
  readonly #parts: KernelPathParts;
  readonly #beneath: KernelNetwork;
  readonly #connections = new Set<StreamConnection>();
  readonly #timers = new Set<Timer>();
  readonly #records: Readonly<Record<EndName, TcpRecord>>;
  #plan: NetworkPlan;
  #isClosed = false;

  constructor(parts: KernelPathParts, beneath: KernelNetwork) {
    this.#parts = parts;
    this.#beneath = beneath;
    this.#plan = parts.plan;
    this.backend = beneath.backend;
    const remote = { address: beneath.address("far"), port: PORT };
    this.network = new NearNetwork(parts, remote, beneath);
    const record = (direction: NetworkDirection, end: EndName): TcpRecord =>
      new TcpRecord(parts.clock, direction, {
        read: () => beneath.sockets(end),
        tell: (state) => this.onTcpState?.(state),
      });
    this.#records = { near: record("sent", "near"), far: record("received", "far") };
    beneath.onSample = (end, sample) => this.#records[end].handleSample(sample);
    beneath.onGone = (error) => this.#fail(error);
    beneath.onStall = (direction, stall) => this.#explain(direction, stall);
  }

  get counts(): AiPathCounts {
    const { counts, samples } = this.#beneath;
    const tcp = {
      sent: tcpCountsOf(samples.near.at(-1)?.counters),
      received: tcpCountsOf(samples.far.at(-1)?.counters),
    };
    return { ...counts, tcp };
  }

  async listen(): Promise<void> {
    const local = { address: this.#beneath.address("far"), port: PORT };
    await this.#beneath.far.listenStream(local, {
      onConnection: (connection) => {
        void this.#carryOn(connection);
      },
    });
  }

  change(plan: NetworkPlan): void {
    const whole = { ...this.#plan, ...plan };
    checkAiNetwork({ ...whole, transport: this.transport, backend: this.backend });
    this.#plan = whole;
    this.#beneath.change(plan).catch((error: unknown) => this.#fail(error));
  }

  /** Keeps the counts of a router fresh; a hub tells them by itself. */
  followCounts(): void {
    if (this.backend === "hub") return;
    this.#later(COUNTS_MS, () => {
      this.#beneath.readCounts().then(
        () => this.followCounts(),
        (error: unknown) => this.#fail(error),
      );
    });
  }

  async close(): Promise<void> {
    this.#stop();
    for (const connection of this.#connections) connection.terminate();
    await this.#beneath.close();
  }

  async #carryOn(near: StreamConnection): Promise<void> {
    const { network, remote } = this.#parts;
    near.pause();
    this.#hold(near);
    try {
      const far = await network.connectStream(remote, { timeoutMs: CONNECT_LIMIT_MS });
      this.#hold(far);
      this.#noteWrites(near);
      joinStreams(near, far);
      near.resume();
    } catch {
      // The bridge sees what it would have seen without us: no connection.
      near.terminate();
    }
  }

  /** What is written at the far end may wait there before it is sent. */
  #noteWrites(connection: StreamConnection): void {
    const { clock } = this.#parts;
    const { remote, local } = connection;
    const send = connection.send.bind(connection);
    let end = 0;
    connection.send = (data) => {
      const at = clock.now();
      end += data.length;
      send(data);
      const [sourcePort, destinationPort] = [local.port, remote.port];
      this.#beneath.noteWritten({ direction: "received", sourcePort, destinationPort, end, at });
    };
  }

  #hold(connection: StreamConnection): void {
    this.#connections.add(connection);
    connection.onClose = () => this.#connections.delete(connection);
  }

  /** Tells of a stall once the counters of its sender are known. */
  #explain(direction: NetworkDirection, stall: FlowStall): void {
    this.#later(COUNTERS_KNOWN_MS, () => {
      const samples = this.#beneath.samples[direction === "sent" ? "near" : "far"];
      const causes = stallCauses(stall, samples);
      this.onStall?.({ direction, at: stall.at, overdueMs: stall.overdueMs, causes });
    });
  }

  #later(ms: number, action: () => void): void {
    if (this.#isClosed) return;
    const { clock } = this.#parts;
    const timer = clock.setTimer(after(clock.now(), ms), () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
  }

  /** What is injured is not as it was wanted any more, or not there: whoever uses it has to know. */
  #fail(error: unknown): void {
    if (this.#isClosed) return;
    if (!isSidetoneError(error)) throw error;
    this.#stop();
    this.onFailed?.(error);
  }

  #stop(): void {
    this.#isClosed = true;
    for (const timer of this.#timers) timer.cancel();
    for (const record of Object.values(this.#records)) record.stop();
  }
}

/** The host's network, but for WebSockets: they begin in the near namespace. */
class NearNetwork extends RelayedNetwork {
  readonly #remote: SocketAddress;
  readonly #beneath: KernelNetwork;
  readonly #clock: Clock;

  constructor({ network, clock }: KernelPathParts, remote: SocketAddress, beneath: KernelNetwork) {
    super(network, remote);
    this.#remote = remote;
    this.#beneath = beneath;
    this.#clock = clock;
  }

  override connectMessages(url: string, options?: ConnectOptions): MessageSocket {
    const socket = this.#beneath.near.connectMessages(url, this.#remote, options);
    const send = socket.send.bind(socket);
    socket.send = (text, frame) => {
      const at = this.#clock.now();
      send(text, frame);
      const { addresses, writtenBytes: end } = socket;
      if (addresses === undefined || end === undefined) return;
      const [sourcePort, destinationPort] = [addresses.local.port, this.#remote.port];
      this.#beneath.noteWritten({ direction: "sent", sourcePort, destinationPort, end, at });
    };
    return socket;
  }
}

function tcpCountsOf(counters: TcpCounters | undefined): TcpCounts {
  return {
    segments: counters?.segments ?? 0,
    retransmissions: counters?.retransmissions ?? 0,
    tailLossProbes: counters?.tailLossProbes ?? 0,
    timeouts: counters?.timeouts ?? 0,
  };
}
