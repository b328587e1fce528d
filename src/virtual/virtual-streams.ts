import {
  after,
  type Clock,
  EnvironmentError,
  type Instant,
  RemoteError,
  type SidetoneError,
  type SocketAddress,
  type StreamConnection,
  type StreamHandlers,
  type StreamListener,
  type StreamOptions,
} from "../environment/index.ts";

const FIRST_EPHEMERAL_PORT = 50_000;
/** Where nothing says from where. */
const SOMEWHERE = "192.0.2.254";

/**
 * TCP within one process and under one clock: in order, without loss, each piece after one latency,
 * a connection after two. TLS is told apart from plain TCP, but nothing is encrypted.
 */
export class VirtualStreams {
  /** Destinations for which it returns true answer nothing at all. */
  isSilent: ((remote: SocketAddress) => boolean) | undefined;
  /** With what a client's handshake fails there, if it does. */
  handshakeFailure: ((remote: SocketAddress) => SidetoneError | undefined) | undefined;
  readonly #clock: Clock;
  readonly #latencyMs: number;
  readonly #listeners = new Map<string, StreamHandlers>();
  readonly #open = new Set<VirtualConnection>();
  #nextPort = FIRST_EPHEMERAL_PORT;
  #connectCount = 0;

  constructor(clock: Clock, latencyMs: number) {
    this.#clock = clock;
    this.#latencyMs = latencyMs;
  }

  /** Ends of connections that are open: two for each. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Attempts to connect so far. */
  get connectCount(): number {
    return this.#connectCount;
  }

  listen(local: SocketAddress, handlers: StreamHandlers): Promise<StreamListener> {
    const bound = { address: local.address, port: local.port || this.#freePort() };
    if (this.#listeners.has(keyOf(bound))) {
      const message = `TCP ${keyOf(bound)} is in use in the virtual network.`;
      return Promise.reject(new EnvironmentError("ERR_PORT_IN_USE", message));
    }
    this.#listeners.set(keyOf(bound), handlers);
    return Promise.resolve({
      local: bound,
      close: () => {
        this.#listeners.delete(keyOf(bound));
        return Promise.resolve();
      },
    });
  }

  connect(remote: SocketAddress, options: StreamOptions): Promise<StreamConnection> {
    this.#connectCount += 1;
    const local = { address: options.localAddress ?? SOMEWHERE, port: this.#freePort() };
    return new Promise((resolve, reject) => {
      if (this.isSilent?.(remote) === true) {
        this.#after(options.timeoutMs, () => reject(timedOut()));
        return;
      }
      this.#after(this.#latencyMs, () => {
        const opened = this.#accept(local, remote, options);
        this.#after(this.#latencyMs, () => {
          if (opened instanceof VirtualConnection) resolve(opened);
          else reject(opened);
        });
      });
    });
  }

  /** Breaks every connection, or those of one address, on both ends at once. */
  cut(address?: SocketAddress): void {
    for (const connection of this.#open) {
      const isMeant = address === undefined || keyOf(connection.remote) === keyOf(address);
      if (!isMeant) continue;
      const { other } = connection;
      this.#drop(connection, lost());
      if (other !== undefined) this.#drop(other, lost());
    }
  }

  #accept(
    local: SocketAddress,
    remote: SocketAddress,
    options: StreamOptions,
  ): VirtualConnection | SidetoneError {
    const handlers = this.#listeners.get(keyOf(remote));
    if (handlers === undefined) return refused();
    const isMismatch = (handlers.tls === undefined) !== (options.tls === undefined);
    const failure = isMismatch ? handshakeFailed() : this.handshakeFailure?.(remote);
    if (failure !== undefined) {
      if (handlers.tls !== undefined) handlers.onRefused(failure);
      return failure;
    }
    const client = this.#connection(local, remote);
    const server = this.#connection(remote, local);
    client.other = server;
    server.other = client;
    handlers.onConnection(server);
    return client;
  }

  #connection(local: SocketAddress, remote: SocketAddress): VirtualConnection {
    const connection: VirtualConnection = new VirtualConnection(local, remote, {
      carry: (data) => {
        const { other } = connection;
        this.#after(this.#latencyMs, () => other?.receive(data, this.#clock.now()));
      },
      now: () => this.#clock.now(),
      close: (isOrderly) => {
        const { other } = connection;
        this.#drop(connection, undefined);
        this.#after(this.#latencyMs, () => {
          if (other !== undefined) this.#drop(other, isOrderly ? undefined : lost());
        });
      },
    });
    this.#open.add(connection);
    return connection;
  }

  #drop(connection: VirtualConnection, error: SidetoneError | undefined): void {
    if (!this.#open.delete(connection)) return;
    connection.isOpen = false;
    connection.onClose?.(error);
  }

  #after(delayMs: number, handler: () => void): void {
    this.#clock.setTimer(after(this.#clock.now(), delayMs), handler);
  }

  #freePort(): number {
    this.#nextPort += 1;
    return this.#nextPort - 1;
  }
}

interface ConnectionActions {
  carry(data: Uint8Array): void;
  close(isOrderly: boolean): void;
  now(): Instant;
}

class VirtualConnection implements StreamConnection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly bufferedBytes = 0;
  onData: ((data: Uint8Array, arrivedAt: Instant) => void) | undefined;
  onClose: ((error: SidetoneError | undefined) => void) | undefined;
  /** Never called: nothing waits here. */
  onDrain: (() => void) | undefined;
  isOpen = true;
  other: VirtualConnection | undefined;
  readonly #actions: ConnectionActions;
  /** What came while it was paused; `undefined` while it is not. */
  #held: Uint8Array[] | undefined;

  constructor(local: SocketAddress, remote: SocketAddress, actions: ConnectionActions) {
    this.local = local;
    this.remote = remote;
    this.#actions = actions;
  }

  /** Data have come. */
  receive(data: Uint8Array, at: Instant): void {
    if (this.#held === undefined) this.onData?.(data, at);
    else this.#held.push(data);
  }

  pause(): void {
    this.#held ??= [];
  }

  resume(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const data of held) this.receive(data, this.#actions.now());
  }

  send(data: Uint8Array): void {
    if (this.isOpen) this.#actions.carry(new Uint8Array(data));
  }

  close(): void {
    if (this.isOpen) this.#actions.close(true);
  }

  terminate(): void {
    if (this.isOpen) this.#actions.close(false);
  }
}

function keyOf({ address, port }: SocketAddress): string {
  return `${address} ${port}`;
}

function refused(): RemoteError {
  return new RemoteError("ERR_CONNECTION_REFUSED", "Nothing listens there.");
}

function timedOut(): RemoteError {
  return new RemoteError("ERR_CONNECTION_TIMED_OUT", "Nobody answered the attempt to connect.");
}

function handshakeFailed(): RemoteError {
  return new RemoteError("ERR_TLS_HANDSHAKE_FAILED", "One side speaks TLS and the other does not.");
}

function lost(): RemoteError {
  return new RemoteError("ERR_CONNECTION_LOST", "The connection was cut.");
}
