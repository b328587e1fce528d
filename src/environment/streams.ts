import type { SidetoneError } from "./errors.ts";
import type { Instant } from "./instant.ts";
import type { SocketAddress } from "./socket-address.ts";

/** One TCP connection, encrypted or not, either end of it. */
export interface StreamConnection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  /** Bytes accepted by `send` that the network has not taken yet. */
  readonly bufferedBytes: number;
  /** Called for each piece of the stream. `data` is only valid during the call. */
  onData: ((data: Uint8Array, arrivedAt: Instant) => void) | undefined;
  /** Called once when the connection has ended; with an error unless either side closed it. */
  onClose: ((error: SidetoneError | undefined) => void) | undefined;
  /** Called when `bufferedBytes` is 0 again after it was not. */
  onDrain: (() => void) | undefined;
  /** Hands bytes to the network. `data` may be reused as soon as this returns. */
  send(data: Uint8Array): void;
  /** Lets the peer wait: nothing is read, and so nothing handed to `onData`, until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends the connection in order: what was sent before still arrives. */
  close(): void;
  /** Ends it at once. */
  terminate(): void;
}

/** Whom a side of a TLS connection trusts, and how it proves who it is. PEM texts; plain data. */
export interface TlsIdentity {
  /** Certificates of the authorities that are trusted, instead of those that the host knows. */
  readonly ca?: string;
  /** Our certificate, followed by those that lead to its authority. */
  readonly certificate?: string;
  /** The private key of `certificate`. Never logged, reported or recorded. */
  readonly key?: string;
}

/** How a client secures its connection. */
export interface TlsClientOptions extends TlsIdentity {
  /** The name that the server is asked for (SNI) and must prove; a name or a numeric address. */
  readonly serverName: string;
  /** False takes whatever certificate the server shows. */
  readonly verify: boolean;
}

/** How a server secures its connections. */
export interface TlsServerOptions extends TlsIdentity {
  /** Whether clients must show a certificate of an authority in `ca`. */
  readonly requiresClientCertificate: boolean;
}

/** How to open a connection. */
export interface StreamOptions {
  /** The address to connect from; the host chooses the port. */
  readonly localAddress?: string;
  /** How long connecting may take, the TLS handshake included. */
  readonly timeoutMs: number;
  readonly tls?: TlsClientOptions;
}

/** How to listen for connections. */
export interface StreamHandlers {
  readonly tls?: TlsServerOptions;
  /** A connection stands, its handshake done. */
  onConnection(connection: StreamConnection): void;
  /** A client came, but its handshake failed. */
  onRefused(error: SidetoneError): void;
}

/** A port that takes connections. */
export interface StreamListener {
  readonly local: SocketAddress;
  /** Takes no further connections; those that stand are left alone. */
  close(): Promise<void>;
}
