import {
  type Channel,
  type Environment,
  type SocketAddress,
  UsageError,
} from "../environment/index.ts";
import type { NetworkPlan } from "../impairment/index.ts";
import type { RegistrationOptions, SipCredentials, SipEndpoint } from "../sip/index.ts";
import type { AgentOptions } from "./agent-options.ts";
import type { AgentNotice, AgentProcedures } from "./agent-procedures.ts";
import type { CallIdentity } from "./call-artifacts.ts";
import { RemoteProcedures } from "./remote-procedures.ts";
import { type FrontedDatagram, SipFront, shardOf } from "./sip-front.ts";

type ShardLink = RemoteProcedures<AgentProcedures, AgentNotice>;

/**
 * One agent whose calls are spread over several threads, each with SIP, media and AI of its own.
 * They share one SIP address, which this thread owns; it does nothing but pass messages on.
 */
export class AgentGroup {
  readonly uri: string;
  readonly local: SocketAddress;
  readonly #shards: readonly ShardLink[];
  readonly #front: SipFront;
  #dialled = 0;

  private constructor(opened: {
    readonly uri: string;
    readonly local: SocketAddress;
    readonly shards: readonly ShardLink[];
    readonly front: SipFront;
  }) {
    this.uri = opened.uri;
    this.local = opened.local;
    this.#shards = opened.shards;
    this.#front = opened.front;
  }

  /** @throws EnvironmentError ERR_PORT_IN_USE and its like; UsageError ERR_SIP_TRANSPORT. */
  static async open(
    environment: Environment,
    options: AgentOptions & { readonly threads: number },
    host: {
      readonly startShard: () => Channel;
      readonly notify: (notice: AgentNotice) => void;
    },
  ): Promise<AgentGroup> {
    requireUdp(options);
    const socket = await environment.network.bindDatagram(options.local);
    const channels = Array.from({ length: options.threads }, () => host.startShard());
    const front = new SipFront(
      socket,
      channels.map((channel) => (message) => channel.post(message)),
    );
    const shards = channels.map((channel) => shardLink(channel, front, host.notify));
    const { threads, ...rest } = options;
    try {
      const opened = await Promise.all(
        shards.map((shard, index) =>
          shard.call("open", { ...rest, shard: { index, count: threads, local: socket.local } }),
        ),
      );
      const uri = opened[0]?.uri ?? "";
      return new AgentGroup({ uri, local: socket.local, shards, front });
    } catch (error) {
      await Promise.allSettled(shards.map((shard) => shard.terminate()));
      await front.close();
      throw error;
    }
  }

  /** Calls are dialled from one thread after the other. */
  dial(request: Parameters<AgentProcedures["dial"]>[0]): Promise<CallIdentity> {
    const shard = this.#shards[this.#dialled % this.#shards.length] as ShardLink;
    this.#dialled += 1;
    return shard.call("dial", request);
  }

  /** The thread that carries the call. */
  shardOf(callId: string): Pick<ShardLink, "call"> {
    return this.#shards[shardOf(callId, this.#shards.length)] as ShardLink;
  }

  /** The thread for what belongs to no call. */
  get firstShard(): Pick<ShardLink, "call"> {
    return this.#shards[0] as ShardLink;
  }

  async answerWith(policy: Parameters<AgentProcedures["answerWith"]>[0]): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.call("answerWith", policy)));
  }

  async treatTransfers(policy: Parameters<AgentProcedures["treatTransfers"]>[0]): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.call("treatTransfers", policy)));
  }

  async changeSipNetwork(plan: NetworkPlan): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.call("changeSipNetwork", plan)));
  }

  async useCredentials(accounts: readonly SipCredentials[]): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.call("useCredentials", accounts)));
  }

  /** One thread registers the address of all. */
  register(options: RegistrationOptions): Promise<string> {
    return this.firstShard.call("register", options);
  }

  unregister(): Promise<void> {
    return this.firstShard.call("unregister", undefined);
  }

  async liveState(): Promise<SipEndpoint["liveState"]> {
    const states = await Promise.all(
      this.#shards.map((shard) => shard.call("liveState", undefined)),
    );
    const sum = { calls: 0, dialogs: 0, transactions: 0, retransmissions: 0, connections: 0 };
    for (const state of states) {
      sum.calls += state.calls;
      sum.dialogs += state.dialogs;
      sum.transactions += state.transactions;
      sum.retransmissions += state.retransmissions;
      sum.connections += state.connections;
    }
    return sum;
  }

  /** Ends every call and thread, and gives the address back. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#shards.map((shard) => shard.call("close", undefined)));
    await Promise.allSettled(this.#shards.map((shard) => shard.terminate()));
    await this.#front.close();
  }
}

/** The threads share one UDP socket; a connection belongs to one thread. */
function requireUdp({ sip }: AgentOptions): void {
  const isUdp = (sip?.transport ?? "udp") === "udp";
  if (isUdp && (sip?.listen ?? []).every(({ transport }) => transport === "udp")) return;
  throw new UsageError(
    "ERR_SIP_TRANSPORT",
    "An agent with several threads has SIP over UDP alone. Give it one thread, or leave out the other transports.",
  );
}

/** Verbs and notices go through the link, datagrams to the socket. */
function shardLink(
  channel: Channel,
  front: SipFront,
  notify: (notice: AgentNotice) => void,
): ShardLink {
  const link: ShardLink = new RemoteProcedures(channel);
  link.onNotice = notify;
  const handleReply = channel.onMessage;
  channel.onMessage = (message) => {
    if (isDatagram(message)) front.send(message);
    else handleReply?.(message);
  };
  return link;
}

function isDatagram(message: unknown): message is FrontedDatagram {
  return (message as { readonly type?: unknown }).type === "datagram";
}
