import type { ClientRequestArgs } from "node:http";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, checkServerIdentity, connect as connectTls } from "node:tls";
import { type ClientOptions, WebSocket } from "ws";
import type {
  Clock,
  ConnectOptions,
  Instant,
  MessageSocket,
  MessageSocketState,
  SidetoneError,
  SocketAddress,
} from "../environment/index.ts";
import { tlsClientSettings } from "./stream-connection.ts";
import { streamFailure } from "./tls-failure.ts";

const STATES: readonly MessageSocketState[] = ["connecting", "open", "closing", "closed"];

/** Largest message taken: OpenAI allows 15 MiB of audio in one append. */
export const MESSAGE_BYTES_MAX: number = 24 * 1024 * 1024;

/** What carries a client's connection in place of the host's TCP. */
export interface MessageTransport {
  /** Opens the connection; what goes wrong is told by the stream's `error`. */
  readonly connect: (remote: SocketAddress) => Duplex;
  /** Fills the four bytes that a frame is masked with (RFC 6455 §5.3). */
  readonly fillMask: (mask: Uint8Array) => void;
}

/** A WebSocket of the `ws` library, either end. */
export class NodeMessageSocket implements MessageSocket {
  onOpen: (() => void) | undefined;
  onMessage: ((text: string, arrivedAt: Instant) => void) | undefined;
  onClose: ((code: number, reason: string) => void) | undefined;
  onError: ((error: Error) => void) | undefined;
  readonly #socket: WebSocket;
  #addresses: MessageSocket["addresses"];
  #below: Socket | undefined;
  #failure: SidetoneError | undefined;

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    socket.on("upgrade", ({ socket: below }) => {
      this.#addresses = addressesOf(below);
    });
    socket.on("open", () => this.onOpen?.());
    socket.on("message", (data) => {
      const arrivedAt = clock.now();
      this.onMessage?.(textOf(data), arrivedAt);
    });
    socket.on("close", (code, reason) => this.onClose?.(code, reason.toString("utf8")));
    socket.on("error", (error) => {
      this.#failure ??= streamFailure(error, serverOf(socket));
      this.onError?.(error);
    });
    socket.on("unexpected-response", (request, response) => {
      const status = response.statusCode ?? 0;
      response.resume();
      request.destroy();
      this.onError?.(
        Object.assign(new Error(`The server answered HTTP ${status} instead of 101.`), {
          statusCode: status,
        }),
      );
      this.onClose?.(1006, `HTTP ${status}`);
    });
  }

  /**
   * Opens a connection as client. Compression is off: it only adds delay to base64 audio.
   *
   * Each message has a turn of the event loop of its own (docs/adr/0027-a-turn-for-each-message.md):
   * an AI's burst of speech keeps neither the frames of other calls nor their AIs' words waiting.
   * Over a `transport` of our own, in virtual time, no time passes meanwhile: there is no need to.
   */
  static connect(
    url: string,
    clock: Clock,
    options: ConnectOptions = {},
    transport?: MessageTransport,
  ): NodeMessageSocket {
    const socket = new WebSocket(url, [...(options.subprotocols ?? [])], {
      ...clientSettings(options),
      allowSynchronousEvents: transport !== undefined,
      ...(options.via === undefined ? {} : { createConnection: connectorVia(options.via, url) }),
      ...(transport === undefined ? {} : transportSettings(transport, options.via)),
    });
    return new NodeMessageSocket(socket, clock);
  }

  /** The same over a TCP connection that somebody else opens: a way to the host of the URL. */
  static connectOver(
    open: () => Promise<Socket>,
    url: string,
    clock: Clock,
    options: ConnectOptions = {},
  ): NodeMessageSocket {
    const opened = async (): Promise<Socket> => {
      const below = await open();
      messages.#below = below;
      return below;
    };
    const socket = new WebSocket(url, [...(options.subprotocols ?? [])], {
      ...clientSettings(options),
      allowSynchronousEvents: false,
      createConnection: connectorOver(opened, url),
    });
    const messages = new NodeMessageSocket(socket, clock);
    return messages;
  }

  get state(): MessageSocketState {
    return STATES[this.#socket.readyState] ?? "closed";
  }

  get addresses(): MessageSocket["addresses"] {
    return this.#addresses;
  }

  get failure(): SidetoneError | undefined {
    return this.#failure;
  }

  get writtenBytes(): number | undefined {
    return this.#below?.bytesWritten;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(text: string, frame?: "binary"): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(text, { binary: frame === "binary" }, (error) => {
      if (error instanceof Error) this.onError?.(error);
    });
  }

  close(code = 1000, reason = ""): void {
    this.#socket.close(code, reason);
  }

  terminate(): void {
    this.#socket.terminate();
  }
}

/** What all clients have in common. */
// The types of `ws` and of `exactOptionalPropertyTypes` agree only on what is inferred.
// oxlint-disable-next-line typescript/explicit-function-return-type
function clientSettings({ headers, handshakeTimeoutMs, tls }: ConnectOptions) {
  return {
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES_MAX,
    ...(headers === undefined ? {} : { headers: { ...headers } }),
    ...(handshakeTimeoutMs === undefined ? {} : { handshakeTimeout: handshakeTimeoutMs }),
    ...(tls === undefined ? {} : tlsClientSettings(tls)),
  };
}

function transportSettings(
  { connect, fillMask }: MessageTransport,
  via: SocketAddress | undefined,
): Pick<ClientOptions, "generateMask"> {
  const settings = {
    generateMask: fillMask,
    // ws asks for any Duplex here; its types know only the host's sockets.
    createConnection: ({ host, port }: { readonly host: string; readonly port: string }) =>
      connect(via ?? { address: host, port: Number(port) }),
  };
  return settings;
}

function textOf(data: WebSocket.RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8");
  return Buffer.isBuffer(data) ? data.toString("utf8") : Buffer.from(data).toString("utf8");
}

function addressesOf(below: Socket): { local: SocketAddress; remote: SocketAddress } {
  return {
    local: { address: below.localAddress ?? "", port: below.localPort ?? 0 },
    remote: { address: below.remoteAddress ?? "", port: below.remotePort ?? 0 },
  };
}

type CreateConnection = NonNullable<ClientRequestArgs["createConnection"]>;

/** Connects to a relay; TLS beyond it is with the host of the URL. */
function connectorVia(via: SocketAddress, url: string): CreateConnection {
  const secured = tlsWithHostOf(url);
  const where = { host: via.address, port: via.port };
  return (options) => (secured === undefined ? connectTcp(where) : secured(options, where));
}

function connectorOver(open: () => Promise<Socket>, url: string): CreateConnection {
  const secured = tlsWithHostOf(url);
  return (options, ready) => {
    open().then(
      (socket) => ready(null, secured === undefined ? socket : secured(options, { socket })),
      // Node asks for no socket beside an error, its types do.
      (error: Error) => (ready as (error: Error) => void)(error),
    );
    return undefined;
  };
}

/** How TLS is spoken with the host of a URL over a way to it; `undefined` where it is not. */
function tlsWithHostOf(
  url: string,
): ((options: unknown, way: ConnectionOptions) => Socket) | undefined {
  const { protocol, hostname } = new URL(url);
  if (protocol !== "wss:") return undefined;
  const name = hostname.replace(/^\[|\]$/gu, "");
  // RFC 6066 §3: numeric addresses are not sent as names; the certificate must prove them still.
  const proves: ConnectionOptions =
    isIP(name) === 0
      ? { servername: name }
      : { checkServerIdentity: (_relay, certificate) => checkServerIdentity(name, certificate) };
  return (options, way) => {
    // `path` is the request's here, and would be a local socket's there; so would host and port.
    const { path: _path, host: _host, port: _port, ...wanted } = options as ConnectionOptions;
    return connectTls({ ...proves, ...wanted, ...way });
  };
}

/** Whom a client wanted to reach; its own end knows no URL. */
function serverOf({ url }: WebSocket): SocketAddress {
  if (!URL.canParse(url)) return { address: "the peer", port: 0 };
  const { hostname, port, protocol } = new URL(url);
  return { address: hostname, port: Number(port) || (protocol === "wss:" ? 443 : 80) };
}
