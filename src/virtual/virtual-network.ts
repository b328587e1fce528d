import {
  after,
  type Clock,
  type ConnectOptions,
  type DatagramSocket,
  EnvironmentError,
  type HttpClientRequest,
  type HttpClientResponse,
  type Instant,
  type ListeningServer,
  type MessageSocket,
  type Network,
  type Random,
  type ServerHandlers,
  type SocketAddress,
  type StreamConnection,
  type StreamHandlers,
  type StreamListener,
  type StreamOptions,
} from "../environment/index.ts";
import { NodeMessageSocket, requestHttp } from "../platform/index.ts";
import { VirtualDns } from "./virtual-dns.ts";
import { requirePlain } from "./virtual-limits.ts";
import { VirtualServers } from "./virtual-servers.ts";
import { VirtualStreams } from "./virtual-streams.ts";

/** How a virtual network behaves. */
export interface VirtualNetworkOptions {
  readonly clock: Clock;
  /** Decides on losses and jitter; seed it. */
  readonly random: Random;
  /** One-way delay of every datagram. Default 5 ms. */
  readonly latencyMs?: number;
  /** Up to this much is added to the delay, so that datagrams overtake each other. Default 0. */
  readonly jitterMs?: number;
  /** The share of datagrams that vanish, 0 to 1. Default 0. */
  readonly lossRatio?: number;
  /** The share of datagrams that arrive twice, 0 to 1. Default 0. */
  readonly duplicateRatio?: number;
  /** Host names and their addresses. */
  readonly hosts?: Readonly<Record<string, readonly string[]>>;
  /** How long it takes to close a socket, which hears nothing meanwhile. Default 0. */
  readonly closingMs?: number;
  /** Whether the sender hears (ECONNREFUSED) that nothing is bound at the destination. */
  readonly reportsUnbound?: boolean;
}

/** A datagram on its way; for tests that pick out single ones. */
export interface Datagram {
  readonly data: Uint8Array;
  readonly from: SocketAddress;
  readonly to: SocketAddress;
}

/**
 * What became of the datagrams so far: `sent` and `duplicated` are the sum of the others and of
 * those under way.
 */
export interface DatagramCounts {
  readonly sent: number;
  readonly duplicated: number;
  readonly delivered: number;
  readonly lost: number;
  readonly unbound: number;
}

const FIRST_EPHEMERAL_PORT = 40_000;
const DEFAULT_LATENCY_MS = 5;

/**
 * A network within one process and under one clock: datagrams with delay, jitter and seeded loss
 * between sockets of any numeric addresses, TCP (`streams`), WebSocket and HTTP (`servers`).
 */
export class VirtualNetwork implements Network {
  /** Datagrams for which it returns true vanish, beside those lost at random. */
  dropsIf: ((datagram: Datagram) => boolean) | undefined;
  /** May be changed at any time. */
  lossRatio: number;
  readonly streams: VirtualStreams;
  readonly servers: VirtualServers;
  /** May be changed at any time. */
  readonly dns: VirtualDns;
  readonly #options: VirtualNetworkOptions;
  readonly #sockets = new Map<string, VirtualDatagramSocket>();
  readonly #counts = { sent: 0, duplicated: 0, delivered: 0, lost: 0, unbound: 0 };
  #nextPort = FIRST_EPHEMERAL_PORT;

  constructor(options: VirtualNetworkOptions) {
    this.#options = options;
    this.lossRatio = options.lossRatio ?? 0;
    this.dns = new VirtualDns(options.hosts);
    const latencyMs = options.latencyMs ?? DEFAULT_LATENCY_MS;
    this.streams = new VirtualStreams(options.clock, latencyMs);
    this.servers = new VirtualServers(options.clock, this.streams);
  }

  get counts(): DatagramCounts {
    return { ...this.#counts };
  }

  /** Sockets that are open. */
  get socketCount(): number {
    return this.#sockets.size;
  }

  bindDatagram(local: SocketAddress): Promise<DatagramSocket> {
    const bound = { address: local.address, port: local.port || this.#freePort(local.address) };
    if (this.#sockets.has(keyOf(bound))) {
      const message = `UDP ${keyOf(bound)} is in use in the virtual network.`;
      return Promise.reject(new EnvironmentError("ERR_PORT_IN_USE", message));
    }
    const socket = new VirtualDatagramSocket(bound, {
      send: (data, to) => this.#send({ data: new Uint8Array(data), from: bound, to }),
      close: () => this.#close(bound),
    });
    this.#sockets.set(keyOf(bound), socket);
    return Promise.resolve(socket);
  }

  localAddressTowards(): Promise<string | undefined> {
    return Promise.resolve(undefined);
  }

  connectStream(remote: SocketAddress, options: StreamOptions): Promise<StreamConnection> {
    return this.streams.connect(remote, options);
  }

  listenStream(local: SocketAddress, handlers: StreamHandlers): Promise<StreamListener> {
    return this.streams.listen(local, handlers);
  }

  /** @throws UsageError ERR_VIRTUAL_TLS. */
  connectMessages(url: string, options?: ConnectOptions): MessageSocket {
    if (url.startsWith("wss:")) requirePlain("wss:");
    const { clock, random } = this.#options;
    return NodeMessageSocket.connect(url, clock, options, {
      connect: (remote) => this.servers.connect(remote),
      fillMask: (mask) => {
        for (let index = 0; index < mask.length; index += 1) mask[index] = random() * 256;
      },
    });
  }

  listenHttp(local: SocketAddress, handlers: ServerHandlers): Promise<ListeningServer> {
    return this.servers.listen(local, handlers);
  }

  // A promise even where TLS is refused.
  // oxlint-disable-next-line typescript/require-await
  async requestHttp(request: HttpClientRequest): Promise<HttpClientResponse> {
    if (request.url.startsWith("https:")) requirePlain("https:");
    const resolve = async (name: string): Promise<readonly string[]> => {
      const found = await this.dns.resolveAddresses(name);
      return found.map(({ address }) => address);
    };
    return requestHttp(request, resolve, {
      connect: (remote) => this.servers.connect(remote),
      timeoutSignal: (ms) => this.#signalAfter(ms),
    });
  }

  #signalAfter(ms: number): AbortSignal {
    const { clock } = this.#options;
    const controller = new AbortController();
    clock.setTimer(after(clock.now(), ms), () => controller.abort());
    return controller.signal;
  }

  #freePort(address: string): number {
    while (this.#sockets.has(keyOf({ address, port: this.#nextPort }))) this.#nextPort += 1;
    this.#nextPort += 1;
    return this.#nextPort - 1;
  }

  #close(bound: SocketAddress): Promise<void> {
    const { clock, closingMs = 0 } = this.#options;
    this.#sockets.delete(keyOf(bound));
    if (closingMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      clock.setTimer(after(clock.now(), closingMs), resolve);
    });
  }

  #send(datagram: Datagram): void {
    const { random, duplicateRatio } = this.#options;
    this.#counts.sent += 1;
    this.#pass(datagram);
    if (duplicateRatio === undefined || random() >= duplicateRatio) return;
    this.#counts.duplicated += 1;
    this.#pass(datagram);
  }

  #pass(datagram: Datagram): void {
    const { clock, random, latencyMs = DEFAULT_LATENCY_MS, jitterMs = 0 } = this.#options;
    // Both numbers are always drawn, so that a changed ratio does not shift the sequence.
    const isLost = random() < this.lossRatio;
    const delayMs = latencyMs + random() * jitterMs;
    if (isLost || this.dropsIf?.(datagram) === true) {
      this.#counts.lost += 1;
      return;
    }
    const dueAt = after(clock.now(), delayMs);
    clock.setTimer(dueAt, () => this.#deliver(datagram, clock.now()));
  }

  #deliver({ data, from, to }: Datagram, now: Instant): void {
    const socket = this.#sockets.get(keyOf(to));
    if (socket !== undefined) {
      this.#counts.delivered += 1;
      if (socket.accepts(from)) socket.onDatagram?.(data, from, now);
      return;
    }
    this.#counts.unbound += 1;
    const sender = this.#sockets.get(keyOf(from));
    if (this.#options.reportsUnbound !== true && sender?.isTied !== true) return;
    const refused = Object.assign(new Error("connect ECONNREFUSED"), {
      code: "ECONNREFUSED",
      ...to,
    });
    sender?.onError?.(refused);
  }
}

interface SocketActions {
  send(data: Uint8Array, to: SocketAddress): void;
  close(): Promise<void>;
}

class VirtualDatagramSocket implements DatagramSocket {
  readonly local: SocketAddress;
  onDatagram: DatagramSocket["onDatagram"];
  onError: DatagramSocket["onError"];
  readonly #actions: SocketActions;
  #isClosed = false;
  #peer: SocketAddress | undefined;

  constructor(local: SocketAddress, actions: SocketActions) {
    this.local = local;
    this.#actions = actions;
  }

  send(data: Uint8Array, to: SocketAddress): void {
    if (!this.#isClosed) this.#actions.send(data, to);
  }

  tieTo(peer: SocketAddress | undefined): void {
    this.#peer = peer;
  }

  get isTied(): boolean {
    return this.#peer !== undefined;
  }

  accepts(from: SocketAddress): boolean {
    return this.#peer === undefined || keyOf(this.#peer) === keyOf(from);
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    return this.#actions.close();
  }
}

function keyOf({ address, port }: SocketAddress): string {
  return `${address} ${port}`;
}
