import {
  type ConnectOptions,
  type Dns,
  type HttpClientRequest,
  type HttpClientResponse,
  type Instant,
  type ListeningServer,
  type MessageSocket,
  type Network,
  type ServerHandlers,
  type SidetoneError,
  type SocketAddress,
  type StreamConnection,
  type StreamHandlers,
  type StreamListener,
  type StreamOptions,
  UsageError,
} from "../environment/index.ts";
import type { PathCounts } from "./impaired-path.ts";
import { KERNEL_BACKENDS, type KernelBackend } from "./kernel/layout.ts";
import { routerCommands } from "./kernel/middle-rules.ts";
import { checkNetwork, type NetworkDirection, type NetworkPlan } from "./profiles.ts";

/**
 * What carries the AI's leg through the injured network: TCP as a model has it, the kernel's own,
 * or UDP as WebRTC would use it.
 */
export const AI_TRANSPORTS = ["tcp-modelled", "tcp-kernel", "udp"] as const;

/** One of them. Figures made with `tcp-modelled` are labelled *modelled*. */
export type AiTransport = (typeof AI_TRANSPORTS)[number];

/** How TCP finds its rate, on the leg's both ends. */
export type CongestionControl = "cubic" | "reno" | "bbr";

/**
 * The network between a bridge and its AI's host, as the bridge sees it: `sent` goes to the AI,
 * `received` comes from it. Plain data.
 */
export interface AiNetwork extends NetworkPlan {
  /** Default `tcp-modelled`: any host, no privileges. */
  readonly transport?: AiTransport;
  /**
   * What injures the packets of the kernel's TCP. Default "hub": every model of a link, by a seed.
   * "nft" only loses, each packet by itself; "netem" is Linux's own. Of neither are stalls known.
   */
  readonly backend?: KernelBackend;
  /** Default cubic. Without meaning for UDP. */
  readonly congestionControl?: CongestionControl;
  /** Gives every packet of a call the same fate again, whatever the transport. Default: the run's. */
  readonly seed?: string;
}

/** Why bytes were overdue. One stall may have several causes. */
export type StallCause =
  /** A lost segment was sent again after acknowledgements had told of later ones (RFC 8985 RACK). */
  | "fastRetransmission"
  /** The last segment was sent again to find out (RFC 8985 TLP). */
  | "tailLossProbe"
  /** The retransmission timeout ran off (RFC 6298). */
  | "retransmissionTimeout"
  /** The congestion window was full. */
  | "congestionWindow"
  /** The link itself was late: its jitter, its queue. */
  | "link";

/** Bytes of one direction came later than the link's own delay accounts for. */
export interface AiStall {
  readonly direction: NetworkDirection;
  /** When they came at last. */
  readonly at: Instant;
  /** How long the first of them were overdue. */
  readonly overdueMs: number;
  readonly causes: readonly StallCause[];
}

/**
 * How the kernel's TCP stood at the sender of one direction, when it had just sent something again:
 * what its namespace counted since it was made, and what TCP_INFO says of its connection.
 */
export interface TcpState {
  readonly direction: NetworkDirection;
  readonly at: Instant;
  readonly retransmissions: number;
  readonly fastRetransmissions: number;
  readonly slowStartRetransmissions: number;
  readonly tailLossProbes: number;
  readonly timeouts: number;
  readonly spuriousTimeouts: number;
  /** Missing where the host has no `ss`. */
  readonly socket?: {
    readonly congestionControl: string;
    readonly rttMs?: number;
    readonly rttVarMs?: number;
    readonly rtoMs?: number;
    readonly cwndSegments?: number;
    readonly ssthreshSegments?: number;
    readonly mssBytes?: number;
    readonly unackedSegments: number;
    readonly retransmissions: number;
    readonly notSentBytes: number;
    readonly deliveryBitsPerSecond?: number;
  };
}

/** What the TCP of one direction did so far, its sender's end. */
export interface TcpCounts {
  readonly segments: number;
  /** All kinds together. */
  readonly retransmissions: number;
  readonly tailLossProbes: number;
  readonly timeouts: number;
}

/** What the receiver of one direction made of the audio that came by UDP, in ms of audio. */
export interface AudioWork {
  /** Decoded. */
  readonly playedMs: number;
  /** Made up for what did not come in time. */
  readonly concealedMs: number;
  /** Brought back by the packet behind (Opus in-band FEC). */
  readonly fecRecoveredMs: number;
  /** Put in and left out to follow the jitter. */
  readonly insertedMs: number;
  readonly skippedMs: number;
  /** How long packets waited for their playout. */
  readonly bufferMsMean: number;
  readonly bufferMsMax: number;
  /** Came, but too late. */
  readonly latePackets: number;
}

/** What became of the packets, of TCP where that is known, and of the audio where it is UDP. */
export interface AiPathCounts extends PathCounts {
  readonly audio?: { readonly sent: AudioWork; readonly received: AudioWork };
  readonly tcp?: { readonly sent: TcpCounts; readonly received: TcpCounts };
}

/** What lies between our bridge and the AI's host. It may carry one connection after the other. */
export interface AiPath {
  readonly transport: AiTransport;
  /** Of the kernel's TCP: what injures its packets. */
  readonly backend?: KernelBackend;
  /** Its WebSockets go this way; what else is asked of it goes beside the path. */
  readonly network: Network;
  readonly counts: AiPathCounts;
  /** Stalls of 40 ms and more, as they end. */
  onStall: ((stall: AiStall) => void) | undefined;
  /** Of the kernel's TCP: called after retransmissions, twice a second at most for a direction. */
  onTcpState?: ((state: TcpState) => void) | undefined;
  /** Called once where it cannot go on: what it carries is lost, or not injured as was wanted. */
  onFailed: ((error: SidetoneError) => void) | undefined;
  /**
   * Another network from now on, in the directions that are named; what is under way stays so.
   * @throws UsageError ERR_IMPAIRMENT.
   */
  change(plan: NetworkPlan): void;
  /** Ends what it carries and gives its ports back. */
  close(): Promise<void>;
}

/** @throws UsageError ERR_IMPAIRMENT, ERR_AI_TRANSPORT. */
export function checkAiNetwork(network: AiNetwork): void {
  checkNetwork(network);
  const { transport = "tcp-modelled", congestionControl = "cubic", backend } = network;
  if (!AI_TRANSPORTS.includes(transport)) {
    throw new UsageError(
      "ERR_AI_TRANSPORT",
      `The AI cannot be reached by "${transport}". There are: ${AI_TRANSPORTS.join(", ")}.`,
    );
  }
  if (backend !== undefined) checkBackend(network, transport, backend);
  if (transport !== "tcp-modelled" || congestionControl !== "bbr") return;
  throw new UsageError(
    "ERR_AI_TRANSPORT",
    "BBR is not modelled. Choose cubic or reno, or the kernel's own TCP (tcp-kernel).",
  );
}

function checkBackend(network: AiNetwork, transport: AiTransport, backend: KernelBackend): void {
  if (!KERNEL_BACKENDS.includes(backend)) {
    throw new UsageError(
      "ERR_AI_TRANSPORT",
      `Packets of the kernel's TCP cannot pass "${backend}". There are: ${KERNEL_BACKENDS.join(", ")}.`,
    );
  }
  if (transport !== "tcp-kernel") {
    throw new UsageError(
      "ERR_AI_TRANSPORT",
      `The backend ${backend} is of the kernel's TCP (tcp-kernel), and this AI is reached by ${transport}. Choose that transport, or leave the backend out.`,
    );
  }
  routerCommands(backend, network);
}

/** A network whose WebSockets connect to a relay instead of the host that their URL names. */
export class RelayedNetwork implements Network {
  readonly dns: Dns;
  readonly #beneath: Network;
  readonly #via: SocketAddress;

  constructor(beneath: Network, via: SocketAddress) {
    this.#beneath = beneath;
    this.#via = via;
    this.dns = beneath.dns;
  }

  connectMessages(url: string, options: ConnectOptions = {}): MessageSocket {
    return this.#beneath.connectMessages(url, { ...options, via: this.#via });
  }

  bindDatagram(local: SocketAddress): ReturnType<Network["bindDatagram"]> {
    return this.#beneath.bindDatagram(local);
  }

  localAddressTowards(remote: string): Promise<string | undefined> {
    return this.#beneath.localAddressTowards(remote);
  }

  connectStream(remote: SocketAddress, options: StreamOptions): Promise<StreamConnection> {
    return this.#beneath.connectStream(remote, options);
  }

  listenStream(local: SocketAddress, handlers: StreamHandlers): Promise<StreamListener> {
    return this.#beneath.listenStream(local, handlers);
  }

  listenHttp(local: SocketAddress, handlers: ServerHandlers): Promise<ListeningServer> {
    return this.#beneath.listenHttp(local, handlers);
  }

  requestHttp(request: HttpClientRequest): Promise<HttpClientResponse> {
    return this.#beneath.requestHttp(request);
  }
}
