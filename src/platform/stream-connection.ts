import { isIP, type Socket, connect as tcpConnect } from "node:net";
import {
  type ConnectionOptions,
  checkServerIdentity,
  type SecureContextOptions,
  connect as tlsConnect,
} from "node:tls";
import {
  type Clock,
  type Instant,
  type SidetoneError,
  type SocketAddress,
  type StreamConnection,
  type StreamOptions,
  type TlsClientOptions,
  type TlsIdentity,
  UsageError,
} from "../environment/index.ts";
import { handshakeFailed, streamFailure, timedOut } from "./tls-failure.ts";

/** RFC 7525 §3.1.1, RFC 8996: nothing below. */
const TLS_VERSION_MIN = "TLSv1.2";
/** How long a peer may take to close its side after we have closed ours. */
const CLOSE_LIMIT_MS = 1000;

/** A TCP or TLS connection of the host. */
export class NodeStreamConnection implements StreamConnection {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  onData: ((data: Uint8Array, arrivedAt: Instant) => void) | undefined;
  onClose: ((error: SidetoneError | undefined) => void) | undefined;
  onDrain: (() => void) | undefined;
  readonly #socket: Socket;
  #failure: SidetoneError | undefined;
  #isBuffering = false;

  /** @param socket is connected, and its handshake done. */
  constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.local = { address: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    this.remote = remoteOf(socket);
    // Nagle's algorithm would hold a message back until the one before is acknowledged.
    socket.setNoDelay(true);
    socket.on("data", (data: Buffer) => this.onData?.(data, clock.now()));
    // The peer has closed its side; half-open connections are of no use to us.
    socket.on("end", () => socket.end());
    socket.on("error", (error) => {
      this.#failure ??= streamFailure(error, this.remote);
    });
    socket.on("close", () => this.onClose?.(this.#failure));
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  send(data: Uint8Array): void {
    if (!this.#socket.writable) return;
    // The host may keep a reference, so it gets a copy of its own.
    this.#socket.write(Buffer.from(data), () => this.#tellDrained());
    if (this.bufferedBytes > 0) this.#isBuffering = true;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    this.#socket.end();
    this.#socket.setTimeout(CLOSE_LIMIT_MS, () => this.#socket.destroy());
  }

  terminate(): void {
    this.#socket.destroy();
  }

  /** Node's own "drain" comes only after more was buffered than its high-water mark. */
  #tellDrained(): void {
    if (!this.#isBuffering || this.bufferedBytes > 0) return;
    this.#isBuffering = false;
    this.onDrain?.();
  }
}

/** Both addresses of a socket are known while it is connected, and gone when it has closed. */
function remoteOf(socket: Socket): SocketAddress {
  return { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 };
}

/** Opens a connection as client; see `Network.connectStream`. */
export function connectStream(
  remote: SocketAddress,
  options: StreamOptions,
  clock: Clock,
): Promise<StreamConnection> {
  const socket = openSocket(remote, options);
  const isSecure = options.tls !== undefined;
  return new Promise((resolve, reject) => {
    const fail = (error: SidetoneError): void => {
      clearTimeout(timer);
      socket.removeAllListeners();
      // What it still reports is of no interest.
      socket.on("error", () => {});
      socket.destroy();
      reject(error);
    };
    const where = `${remote.address}:${remote.port}`;
    const timer = setTimeout(() => fail(timedOut(where)), options.timeoutMs);
    socket.once("error", (error) => fail(connectFailure(error, remote, isSecure)));
    socket.once("close", () => fail(handshakeFailed(where, "closed by the peer")));
    socket.once(isSecure ? "secureConnect" : "connect", () => {
      clearTimeout(timer);
      socket.removeAllListeners("error");
      socket.removeAllListeners("close");
      resolve(new NodeStreamConnection(socket, clock));
    });
  });
}

function openSocket(remote: SocketAddress, options: StreamOptions): Socket {
  const { localAddress, tls } = options;
  const target = {
    host: remote.address,
    port: remote.port,
    ...(localAddress === undefined ? {} : { localAddress }),
  };
  if (tls === undefined) return tcpConnect(target);
  return withMaterial(() => tlsConnect({ ...target, ...tlsClientSettings(tls) }));
}

/** A reset while the handshake runs says that the peer speaks no TLS, or not to us. */
function connectFailure(
  error: Error & { readonly code?: string },
  remote: SocketAddress,
  isSecure: boolean,
): SidetoneError {
  const { code = "" } = error;
  if (isSecure && code === "ECONNRESET") {
    return handshakeFailed(`${remote.address}:${remote.port}`, code, {
      context: { code, ...remote },
      cause: error,
    });
  }
  return streamFailure(error, remote);
}

/** What Node wants of a TLS client. */
export function tlsClientSettings(tls: TlsClientOptions): ConnectionOptions {
  const { serverName } = tls;
  return {
    ...tlsMaterial(tls),
    rejectUnauthorized: tls.verify,
    // RFC 6066 §3: numeric addresses are not sent as names.
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    checkServerIdentity: (_connectedTo, certificate) =>
      checkServerIdentity(serverName, certificate),
  };
}

/** Certificates and key of either side. */
export function tlsMaterial({ ca, certificate, key }: TlsIdentity): SecureContextOptions {
  return {
    minVersion: TLS_VERSION_MIN,
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
  };
}

/**
 * Runs what reads certificates and keys.
 * @throws UsageError ERR_TLS_MATERIAL where they cannot be read or do not belong together.
 */
export function withMaterial<T>(action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const { code = "unreadable" } = cause as { readonly code?: string };
    throw new UsageError(
      "ERR_TLS_MATERIAL",
      `The certificate, key or authority given for TLS cannot be used (${code}). Each must be PEM, the key without a passphrase and the one of the certificate.`,
      { context: { code } },
    );
  }
}
