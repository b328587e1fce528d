import {
  type Clock,
  EnvironmentError,
  errorText,
  isSidetoneError,
  type Logger,
  type Network,
  type Random,
  type SidetoneError,
  type SocketAddress,
  type StreamConnection,
  type TlsClientOptions,
} from "../environment/index.ts";
import type { ChannelEvents } from "./channel.ts";
import type { Route } from "./client-routes.ts";
import type { Target } from "./locate.ts";
import type { LocalIdentity } from "./message-stamp.ts";
import { streamPipe } from "./pipe.ts";
import { connectionLost, type Dispatched, SipConnection } from "./sip-connection.ts";
import type { SipSettings } from "./sip-settings.ts";
import { uriHost } from "./sip-uri.ts";
import { type SipTransport, transportTraits } from "./transport-name.ts";
import { webSocketPipe } from "./web-socket-pipe.ts";

export interface SipConnectionsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly network: Network;
  readonly settings: SipSettings;
  readonly events: ChannelEvents;
  readonly identityOf: (transport: SipTransport, local: SocketAddress) => LocalIdentity;
  readonly isLive: (callId: string) => boolean;
  /** Numbers for channels; each once. */
  readonly nextId: () => number;
}

/** Less than a transaction waits, so that the reason of a failure is told instead of silence. */
const CONNECT_LIMIT_MS = 10_000;

/**
 * The connections of one endpoint: opens one where none leads to the target, uses it for all that
 * goes there (RFC 3261 §18.1.1), and opens another when it broke.
 */
export class SipConnections {
  readonly #options: SipConnectionsOptions;
  readonly #byId = new Map<number, SipConnection>();
  readonly #byKey = new Map<string, SipConnection>();
  #garbageCount = 0;

  constructor(options: SipConnectionsOptions) {
    this.#options = options;
  }

  /** Connections that are open or being opened. */
  get size(): number {
    return this.#byId.size;
  }

  /** Connections closed because what came was no SIP. */
  get garbageCount(): number {
    return this.#garbageCount;
  }

  get(id: number): SipConnection | undefined {
    return this.#byId.get(id);
  }

  /** Sends by the connection that leads there. */
  send(message: Dispatched, route: Route): void {
    const { target } = route;
    const connection =
      this.#byKey.get(keyOf(target)) ?? this.#byKey.get(acceptedKey(target.transport, target));
    (connection ?? this.#open(route)).send(message);
  }

  /** A peer has connected to us. */
  accept(connection: StreamConnection, transport: "tcp" | "tls"): void {
    const { remote } = connection;
    const target: Target = { ...remote, transport, host: remote.address };
    const route = { target, localAddress: connection.local.address };
    const accepted = this.#connection(route, acceptedKey(transport, remote), false);
    accepted.open(streamPipe(connection));
  }

  /** Breaks all that are open; how many that were. */
  breakOff(): number {
    const open = [...this.#byId.values()].filter(({ wasOpen }) => wasOpen);
    for (const connection of open) connection.breakOff();
    return open.length;
  }

  /** No answers to the requests of this transaction are waited for any more. */
  forget(branch: string): void {
    for (const connection of this.#byId.values()) connection.forget(branch);
  }

  close(): void {
    for (const connection of this.#byId.values()) connection.close();
    this.#byId.clear();
    this.#byKey.clear();
  }

  #open(route: Route): SipConnection {
    const { network } = this.#options;
    const { target, localAddress } = route;
    const connection = this.#connection(route, keyOf(target), true);
    if (target.transport === "ws" || target.transport === "wss") {
      this.#openWebSocket(connection, target);
      return connection;
    }
    const opening = network.connectStream(target, {
      timeoutMs: CONNECT_LIMIT_MS,
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(transportTraits(target.transport).isSecure ? { tls: this.#tlsFor(target) } : {}),
    });
    void opening.then(
      (stream) => connection.open(streamPipe(stream)),
      (error: unknown) => connection.fail(asFailure(error)),
    );
    return connection;
  }

  /** RFC 7118 §4: the subprotocol is "sip". */
  #openWebSocket(connection: SipConnection, target: Target): void {
    const { network, settings } = this.#options;
    const { transport, host, port } = target;
    const url = settings.webSocketUrl ?? `${transport}://${uriHost(host)}:${port}/`;
    const socket = network.connectMessages(url, {
      subprotocols: ["sip"],
      handshakeTimeoutMs: CONNECT_LIMIT_MS,
      ...(transport === "wss" ? { tls: this.#tlsFor(target) } : {}),
    });
    socket.onOpen = () => connection.open(webSocketPipe(socket));
    socket.onClose = () => connection.fail(socket.failure ?? connectionLost());
  }

  #connection(route: Route, key: string, isOpener: boolean): SipConnection {
    const { clock, random, events, identityOf, isLive, nextId, logger } = this.#options;
    const { transport } = route.target;
    const connection: SipConnection = new SipConnection({
      clock,
      random,
      id: nextId(),
      transport,
      isOpener,
      events,
      identityOf: (local) => identityOf(transport, local),
      isLive,
      onGarbage: (reason) => {
        this.#garbageCount += 1;
        logger.warn("What a connection brought was no SIP, so it was closed.", { reason });
      },
      onClosed: (unanswered, error) => {
        this.#byId.delete(connection.id);
        if (this.#byKey.get(key) === connection) this.#byKey.delete(key);
        if (error !== undefined) logger.info("A SIP connection ended.", { code: error.code });
        for (const message of unanswered) this.#sendAgain(message, route, connection, error);
      },
    });
    this.#byId.set(connection.id, connection);
    this.#byKey.set(key, connection);
    return connection;
  }

  /**
   * A connection that was open may have been closed by the peer just when we wrote: then the
   * request goes once more by a new one. Its branch is the same, so that no peer takes it twice.
   */
  #sendAgain(
    message: Dispatched,
    route: Route,
    connection: SipConnection,
    error: SidetoneError | undefined,
  ): void {
    // By TLS 1.3, a certificate of ours is refused when the connection stands already.
    const isTold = !connection.wasOpen || error?.code.startsWith("ERR_TLS_") === true;
    if (isTold) message.onFailed(error ?? connectionLost());
    else if (message.isRepeated === true) message.onFailed(connectionLost());
    else this.send({ ...message, isRepeated: true }, route);
  }

  #tlsFor(target: Target): TlsClientOptions {
    const { ca, certificate, key, serverName, verify = true } = this.#options.settings.tls ?? {};
    return {
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined ? {} : { certificate }),
      ...(key === undefined ? {} : { key }),
      serverName: serverName ?? target.host,
      verify,
    };
  }
}

/** Two names at one address are two servers for TLS. */
function keyOf(target: Target): string {
  const { isSecure } = transportTraits(target.transport);
  return `${acceptedKey(target.transport, target)}${isSecure ? ` ${target.host}` : ""}`;
}

function acceptedKey(transport: SipTransport, { address, port }: SocketAddress): string {
  return `${transport} ${address} ${port}`;
}

function asFailure(error: unknown): SidetoneError {
  if (isSidetoneError(error)) return error;
  return new EnvironmentError(
    "ERR_NETWORK_UNREACHABLE",
    `The host could not open a connection: ${errorText(error)}`,
    { cause: error },
  );
}
