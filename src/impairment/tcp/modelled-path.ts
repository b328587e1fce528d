import type {
  Clock,
  Network,
  Random,
  SocketAddress,
  StreamConnection,
  StreamListener,
} from "../../environment/index.ts";
import { type AiNetwork, type AiPath, type AiPathCounts, RelayedNetwork } from "../ai-path.ts";
import { Link } from "../link.ts";
import { checkNetwork, type NetworkPlan } from "../profiles.ts";

/** What a modelled path is made of. */
export interface ModelledPathParts {
  readonly clock: Clock;
  readonly network: Network;
  /** Decides on what the link does; seed it. */
  readonly random: Random;
  /** The AI's host. */
  readonly remote: SocketAddress;
  readonly plan: AiNetwork;
}

const LOOPBACK = "127.0.0.1";
const CONNECT_LIMIT_MS = 10_000;

/**
 * A relay before the AI's host, on this host's loopback.
 *
 * As yet it passes bytes straight on, whatever the plan says: the TCP model is to come.
 */
export async function openModelledPath(parts: ModelledPathParts): Promise<AiPath> {
  const path = new ModelledPath(parts);
  await path.open();
  return path;
}

class ModelledPath implements AiPath {
  readonly transport = "tcp-modelled";
  onStall: AiPath["onStall"];
  network: Network;
  readonly #parts: ModelledPathParts;
  readonly #sent: Link<never>;
  readonly #received: Link<never>;
  readonly #connections = new Set<StreamConnection>();
  #listener: StreamListener | undefined;

  constructor(parts: ModelledPathParts) {
    this.#parts = parts;
    this.network = parts.network;
    const { sent = {}, received = {} } = parts.plan;
    this.#sent = new Link(sent, parts.random);
    this.#received = new Link(received, parts.random);
  }

  get counts(): AiPathCounts {
    return { sent: this.#sent.counts, received: this.#received.counts };
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
    if (plan.sent !== undefined) this.#sent.change(plan.sent, now);
    if (plan.received !== undefined) this.#received.change(plan.received, now);
  }

  async close(): Promise<void> {
    await this.#listener?.close();
    for (const connection of this.#connections) connection.terminate();
  }

  async #join(near: StreamConnection): Promise<void> {
    const { network, remote } = this.#parts;
    near.pause();
    this.#hold(near);
    try {
      const far = await network.connectStream(remote, { timeoutMs: CONNECT_LIMIT_MS });
      this.#hold(far);
      pipe(near, far);
      pipe(far, near);
      near.resume();
    } catch {
      // The near end sees what it would have seen without us: no connection.
      near.terminate();
    }
  }

  #hold(connection: StreamConnection): void {
    this.#connections.add(connection);
    connection.onClose = () => this.#connections.delete(connection);
  }
}

function pipe(from: StreamConnection, to: StreamConnection): void {
  const { onClose } = from;
  from.onData = (data) => {
    to.send(data);
    if (to.bufferedBytes > 0) from.pause();
  };
  to.onDrain = () => from.resume();
  from.onClose = (error) => {
    onClose?.(error);
    if (error === undefined) to.close();
    else to.terminate();
  };
}
