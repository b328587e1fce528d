import type { Dns } from "./dns.ts";
import type { SidetoneError } from "./errors.ts";
import type { HttpClientRequest, HttpClientResponse } from "./http-client.ts";
import type { Instant } from "./instant.ts";
import type { SocketAddress } from "./socket-address.ts";
import type {
  StreamConnection,
  StreamHandlers,
  StreamListener,
  StreamOptions,
  TlsClientOptions,
  TlsIdentity,
} from "./streams.ts";

/** A bound UDP socket. */
export interface DatagramSocket {
  readonly local: SocketAddress;
  /** Called for each datagram. `data` is only valid during the call: copy what is kept. */
  onDatagram: ((data: Uint8Array, from: SocketAddress, arrivedAt: Instant) => void) | undefined;
  /** Called for socket errors (ICMP unreachable among them); never thrown out of `send`. */
  onError: ((error: Error) => void) | undefined;
  /** Hands one datagram to the network. `data` may be reused as soon as this returns. */
  send(data: Uint8Array, to: SocketAddress): void;
  /**
   * Ties the socket to one peer (or to none again). Only while it is tied does the host report that
   * nobody listens there (ICMP, as `onError`); datagrams of others are then dropped by the host.
   */
  tieTo(peer: SocketAddress | undefined): void;
  close(): Promise<void>;
}

/** Where a message socket stands. */
export type MessageSocketState = "connecting" | "open" | "closing" | "closed";

/** One WebSocket connection carrying texts, either end of it; they come in frames of any kind. */
export interface MessageSocket {
  readonly state: MessageSocketState;
  /** Both ends of the connection below, once it is open and where they are known. */
  readonly addresses?:
    | { readonly local: SocketAddress; readonly remote: SocketAddress }
    | undefined;
  /** Why it ended, or could not be opened, in the words of `Network.connectStream`. */
  readonly failure?: SidetoneError | undefined;
  /** Bytes accepted by `send` that the network has not taken yet. */
  readonly bufferedBytes: number;
  /** All bytes that the connection below was given so far, framing and TLS among them, if known. */
  readonly writtenBytes?: number | undefined;
  onOpen: (() => void) | undefined;
  onMessage: ((text: string, arrivedAt: Instant) => void) | undefined;
  /** Called once when the connection has ended, for whatever reason. */
  onClose: ((code: number, reason: string) => void) | undefined;
  /** Called before `onClose` where the end was not an orderly one. */
  onError: ((error: Error) => void) | undefined;
  /** Sends a text; in a text frame, or in a binary one as UTF-8. */
  send(text: string, frame?: "binary"): void;
  close(code?: number, reason?: string): void;
  /** Ends the connection at once, without a closing handshake. */
  terminate(): void;
}

/** A request that a server got and has not yet answered; header names are lower case. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query, as received. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a server answers. */
export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a server does with an attempt to open a WebSocket. */
export type UpgradeDecision =
  | {
      readonly accept: true;
      readonly subprotocol?: string;
      readonly onConnection: (socket: MessageSocket) => void;
    }
  | { readonly accept: false; readonly response: HttpResponse };

/** What a server listens with. */
export interface ServerHandlers {
  /** Its certificate and key, for https: and wss: on this port; plain without. */
  readonly tls?: TlsIdentity;
  onRequest(request: HttpRequest): Promise<HttpResponse>;
  onUpgrade(request: HttpRequest): UpgradeDecision;
}

/** A listening HTTP and WebSocket server. */
export interface ListeningServer {
  readonly local: SocketAddress;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

/** What code may ask of the network. */
export interface Network {
  /** The domain name system. */
  readonly dns: Dns;
  /**
   * Binds a UDP socket; port 0 lets the host choose.
   * @throws EnvironmentError ERR_PORT_IN_USE, ERR_ADDRESS_NOT_LOCAL, ERR_PORT_DENIED.
   */
  bindDatagram(local: SocketAddress): Promise<DatagramSocket>;
  /**
   * The address of this host from which packets to `remote` (numeric) leave; `undefined` where
   * there is no route.
   */
  localAddressTowards(remote: string): Promise<string | undefined>;
  /**
   * Opens a TCP connection.
   * @throws RemoteError ERR_CONNECTION_REFUSED, ERR_CONNECTION_TIMED_OUT, ERR_CONNECTION_LOST,
   *   ERR_TLS_CERTIFICATE_EXPIRED, ERR_TLS_CERTIFICATE_UNTRUSTED, ERR_TLS_NAME_MISMATCH,
   *   ERR_TLS_HANDSHAKE_FAILED; EnvironmentError ERR_TLS_CLIENT_CERTIFICATE_REFUSED,
   *   ERR_NETWORK_UNREACHABLE; UsageError ERR_TLS_MATERIAL.
   */
  connectStream(remote: SocketAddress, options: StreamOptions): Promise<StreamConnection>;
  /**
   * Listens for TCP connections; port 0 lets the host choose.
   * @throws EnvironmentError ERR_PORT_IN_USE, ERR_ADDRESS_NOT_LOCAL, ERR_PORT_DENIED; UsageError
   *   ERR_TLS_MATERIAL.
   */
  listenStream(local: SocketAddress, handlers: StreamHandlers): Promise<StreamListener>;
  /** Opens a WebSocket as client. Failures arrive at `onError` and `onClose`. */
  connectMessages(url: string, options?: ConnectOptions): MessageSocket;
  /**
   * Listens for HTTP and WebSocket; port 0 lets the host choose.
   * @throws EnvironmentError ERR_PORT_IN_USE, ERR_ADDRESS_NOT_LOCAL, ERR_PORT_DENIED; UsageError
   *   ERR_TLS_MATERIAL.
   */
  listenHttp(local: SocketAddress, handlers: ServerHandlers): Promise<ListeningServer>;
  /**
   * Makes one HTTP request, on a connection of its own.
   * @throws RemoteError ERR_HTTP_ADDRESS_REFUSED (`reach`), ERR_HTTP_TIMED_OUT, ERR_HTTP_TOO_LARGE,
   *   ERR_HTTP_FAILED (no address, no connection, no certificate to trust, or what came was no
   *   HTTP); the reason of `signal` where that was aborted.
   */
  requestHttp(request: HttpClientRequest): Promise<HttpClientResponse>;
}

/** How to open a WebSocket. */
export interface ConnectOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly subprotocols?: readonly string[];
  readonly handshakeTimeoutMs?: number;
  /** For wss:, where the host's own authorities are not the ones to trust. */
  readonly tls?: TlsClientOptions;
  /**
   * Where to connect to instead of the host that the URL names: a relay to it. Host header, SNI and
   * the name that a certificate must prove are the URL's.
   */
  readonly via?: SocketAddress;
}
