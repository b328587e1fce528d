import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { Clock, DatagramSocket, Instant, SocketAddress } from "../environment/index.ts";
import { listenError } from "./listen-error.ts";

/** Kernel buffer for bursts while the event loop is busy: about 3,000 packets of G.711. */
const RECEIVE_BUFFER_BYTES = 1 << 20;

/** Addresses are always numeric here, so that no look-up is needed (and none may delay a packet). */
function numericLookup(
  host: string,
  _options: unknown,
  callback: (error: null, address: string, family: number) => void,
): void {
  // Not `isIPv6`: its pattern is matched against the address of every packet that is sent.
  callback(null, host, host.includes(":") ? 6 : 4);
}

/** A UDP socket of the host. */
export class NodeDatagramSocket implements DatagramSocket {
  readonly local: SocketAddress;
  onDatagram: ((data: Uint8Array, from: SocketAddress, arrivedAt: Instant) => void) | undefined;
  onError: ((error: Error) => void) | undefined;
  readonly #socket: Socket;
  #isClosed = false;
  #isTied = false;

  private constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    const { address, port } = socket.address();
    this.local = { address, port };
    socket.on("message", (data, remote) => this.onDatagram?.(data, remote, clock.now()));
    socket.on("error", (error) => this.onError?.(error));
  }

  /** @throws EnvironmentError ERR_PORT_IN_USE, ERR_ADDRESS_NOT_LOCAL, ERR_PORT_DENIED. */
  static bind(local: SocketAddress, clock: Clock): Promise<NodeDatagramSocket> {
    const socket = createSocket({
      type: isIPv6(local.address) ? "udp6" : "udp4",
      lookup: numericLookup,
    });
    return new Promise((resolve, reject) => {
      socket.once("error", (error) => {
        socket.close();
        reject(listenError(error, "UDP", local));
      });
      socket.bind({ address: local.address, port: local.port, exclusive: true }, () => {
        socket.removeAllListeners("error");
        socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
        resolve(new NodeDatagramSocket(socket, clock));
      });
    });
  }

  send(data: Uint8Array, to: SocketAddress): void {
    if (this.#isClosed) return;
    // The host may keep a reference when its send queue is full, so it gets a copy of its own.
    const copy = Buffer.from(data);
    if (this.#isTied) this.#socket.send(copy, this.#afterSend);
    else this.#socket.send(copy, to.port, to.address, this.#afterSend);
  }

  tieTo(peer: SocketAddress | undefined): void {
    if (this.#isClosed) return;
    if (this.#isTied) this.#socket.disconnect();
    this.#isTied = peer !== undefined;
    // With a numeric address and our look-up this takes effect before it returns.
    if (peer !== undefined) this.#socket.connect(peer.port, peer.address);
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }

  /** One for all datagrams: the host is given no new function per packet. */
  readonly #afterSend = (error: Error | null): void => {
    if (error !== null && !this.#isClosed) this.onError?.(error);
  };
}
