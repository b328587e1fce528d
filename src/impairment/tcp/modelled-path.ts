import {
  type Clock,
  elapsedMs,
  type Instant,
  type Network,
  type Random,
  type SocketAddress,
  type StreamConnection,
  type StreamListener,
  seededRandom,
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
import { Link } from "../link.ts";
import { checkNetwork, fateOf, type NetworkPlan } from "../profiles.ts";
import { type End, ModelledConnection, type Packet } from "./connection.ts";
import { RelayedConnection } from "./relayed-connection.ts";
import { StallWatch } from "./stall-watch.ts";

/** What a modelled path is made of. */
export interface ModelledPathParts {
  readonly clock: Clock;
  readonly network: Network;
  /** Decides on what becomes of each packet, whatever else goes on. */
  readonly seed: string;
  /** The AI's host. */
  readonly remote: SocketAddress;
  readonly plan: AiNetwork;
}

const LOOPBACK = "127.0.0.1";
const CONNECT_LIMIT_MS = 10_000;
const NO_WORK: TcpCounts = { segments: 0, retransmissions: 0, tailLossProbes: 0, timeouts: 0 };

/**
 * A relay before the AI's host, on this host's loopback, that ends TCP on both sides and passes
 * bytes on when a model of TCP over the injured network says so (docs/adr/0041-tcp-as-modelled.md).
 *
 * The model runs on its own time: what a timer of the host is late delays the bytes by so much, and
 * nothing of what the model does next.
 *
 * @throws UsageError ERR_IMPAIRMENT, ERR_AI_TRANSPORT; EnvironmentError as `Network.listenStream`.
 */
export async function openModelledPath(parts: ModelledPathParts): Promise<AiPath> {
  checkAiNetwork({ ...parts.plan, transport: "tcp-modelled" });
  const path = new ModelledPath(parts);
  await path.open();
  return path;
}

class ModelledPath implements AiPath {
  readonly transport = "tcp-modelled";
  onStall: AiPath["onStall"];
  onFailed: AiPath["onFailed"];
  network: Network;
  readonly #parts: ModelledPathParts;
  readonly #random: Random;
  readonly #links: { readonly toFar: Link<Packet>; readonly toNear: Link<Packet> };
  readonly #watches = { far: new StallWatch("sent"), near: new StallWatch("received") };
  readonly #connections = new Set<RelayedConnection>();
  /** What the TCP of connections did that are gone. */
  #past = { sent: NO_WORK, received: NO_WORK };
  #listener: StreamListener | undefined;
  #timer: { readonly timer: Timer; readonly dueAt: Instant } | undefined;
  #isClosed = false;

  constructor(parts: ModelledPathParts) {
    this.#parts = parts;
    this.network = parts.network;
    const { plan, seed } = parts;
    // Each direction by itself, so that what one carries does not change the other's fate.
    this.#links = {
      toFar: new Link(plan.sent ?? {}, fateOf(seed, "sent")),
      toNear: new Link(plan.received ?? {}, fateOf(seed, "received")),
    };
    this.#random = seededRandom(`${seed} tcp`);
  }

  get counts(): AiPathCounts {
    const { toFar, toNear } = this.#links;
    let { sent, received } = this.#past;
    for (const { model } of this.#connections) {
      sent = sum(sent, model.countsFrom("near"));
      received = sum(received, model.countsFrom("far"));
    }
    return { sent: toFar.counts, received: toNear.counts, tcp: { sent, received } };
  }

  async open(): Promise<void> {
    const { network } = this.#parts;
    this.#listener = await network.listenStream(
      { address: LOOPBACK, port: 0 },
      {
        onConnection: (near) => {
          void this.#join(near);
        },
        onRefused: () => {},
      },
    );
    this.network = new RelayedNetwork(network, this.#listener.local);
  }

  change(plan: NetworkPlan): void {
    const now = this.#parts.clock.now();
    checkNetwork(plan);
    this.#serve(now);
    if (plan.sent !== undefined) {
      this.#links.toFar.change(plan.sent, now);
      this.#watches.far.reset();
    }
    if (plan.received === undefined) return;
    this.#links.toNear.change(plan.received, now);
    this.#watches.near.reset();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.timer.cancel();
    for (const connection of this.#connections) connection.terminate();
    await this.#listener?.close();
  }

  async #join(near: StreamConnection): Promise<void> {
    const { network, remote, clock, plan } = this.#parts;
    const now = clock.now();
    const { congestionControl = "cubic" } = plan;
    const how = { random: this.#random, congestionControl };
    const model = new ModelledConnection(this.#links, how, now);
    const connection = new RelayedConnection(model, near, () => clock.now());
    near.pause();
    this.#connections.add(connection);
    connection.onWrite = () => this.#serve(clock.now());
    connection.onClosed = () => this.#forget(connection);
    try {
      const far = await network.connectStream(remote, { timeoutMs: CONNECT_LIMIT_MS });
      if (this.#isClosed) return far.terminate();
      connection.join(far);
      near.resume();
      this.#serve(clock.now());
    } catch {
      // The near end sees that there is no connection to be had, though it had one with us.
      near.terminate();
    }
  }

  #forget(connection: RelayedConnection): void {
    if (!this.#connections.delete(connection)) return;
    const { model } = connection;
    const { sent, received } = this.#past;
    this.#past = {
      sent: sum(sent, model.countsFrom("near")),
      received: sum(received, model.countsFrom("far")),
    };
  }

  /** Lets the model catch up with the present, step by step, each at its own instant. */
  #serve(now: Instant): void {
    if (this.#isClosed) return;
    for (let dueAt = this.#nextTimeout; dueAt !== undefined && dueAt <= now; ) {
      this.#step(dueAt);
      dueAt = this.#nextTimeout;
    }
    this.#handOn(now);
    this.#arm();
  }

  #step(at: Instant): void {
    this.#empty(this.#links.toFar, "far", at);
    this.#empty(this.#links.toNear, "near", at);
    for (const { model } of this.#connections) model.handleTimeout(at);
    this.#handOn(at);
  }

  #empty(link: Link<Packet>, end: End, at: Instant): void {
    link.handleTimeout(at);
    for (let output = link.takeOutput(); output; output = link.takeOutput()) {
      this.#watches[end].handlePacket(elapsedMs(output.sentAt, output.dueAt));
      // A corrupted packet's checksum is wrong, and the host drops it.
      if (!output.isCorrupted) output.packet.connection.handlePacket(output.packet, at);
    }
  }

  #handOn(at: Instant): void {
    for (const connection of this.#connections) {
      const { model } = connection;
      for (let readable = model.takeOutput(); readable; readable = model.takeOutput()) {
        connection.handOn(readable);
        const stall = this.#watches[readable.at].handleReadable(readable, at);
        if (stall !== undefined) this.onStall?.(stall);
      }
    }
  }

  get #nextTimeout(): Instant | undefined {
    const { toFar, toNear } = this.#links;
    const models = [...this.#connections].map(({ model }) => model.nextTimeout);
    const dues = [toFar.nextTimeout, toNear.nextTimeout, ...models];
    const least = Math.min(...dues.map((due) => due ?? Number.POSITIVE_INFINITY));
    return least === Number.POSITIVE_INFINITY ? undefined : (least as Instant);
  }

  #arm(): void {
    const dueAt = this.#nextTimeout;
    if (dueAt === this.#timer?.dueAt) return;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    if (dueAt === undefined) return;
    const { clock } = this.#parts;
    const timer = clock.setTimer(dueAt, () => {
      this.#timer = undefined;
      // A host's timer may be early; what it was set for is served, not asked for again.
      const now = clock.now();
      this.#serve(now < dueAt ? dueAt : now);
    });
    this.#timer = { timer, dueAt };
  }
}

function sum(one: TcpCounts, other: TcpCounts): TcpCounts {
  return {
    segments: one.segments + other.segments,
    retransmissions: one.retransmissions + other.retransmissions,
    tailLossProbes: one.tailLossProbes + other.tailLossProbes,
    timeouts: one.timeouts + other.timeouts,
  };
}
