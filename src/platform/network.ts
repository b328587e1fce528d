import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import {
  type Clock,
  type ConnectOptions,
  type DatagramSocket,
  EnvironmentError,
  type ListeningServer,
  type MessageSocket,
  type Network,
  type ServerHandlers,
  type SocketAddress,
  type StreamConnection,
  type StreamHandlers,
  type StreamListener,
  type StreamOptions,
} from "../environment/index.ts";
import { NodeDatagramSocket } from "./datagram-socket.ts";
import { listenHttp } from "./http-server.ts";
import { localAddressTowards } from "./local-address.ts";
import { NodeMessageSocket } from "./message-socket.ts";
import { connectStream } from "./stream-connection.ts";
import { listenStream } from "./stream-listener.ts";

/** The host's own network. */
export class NodeNetwork implements Network {
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  bindDatagram(local: SocketAddress): Promise<DatagramSocket> {
    return NodeDatagramSocket.bind(local, this.#clock);
  }

  async resolveHost(host: string): Promise<readonly string[]> {
    if (isIP(host) !== 0) return [host];
    try {
      const found = await lookup(host, { all: true, family: 4 });
      return found.map((entry) => entry.address);
    } catch (cause) {
      throw new EnvironmentError(
        "ERR_HOST_UNRESOLVED",
        `The host name "${host}" has no address. Check its spelling and this machine's DNS.`,
        { context: { host }, cause },
      );
    }
  }

  localAddressTowards(remote: string): Promise<string | undefined> {
    return localAddressTowards(remote);
  }

  // A promise even where the certificates cannot be read.
  // oxlint-disable-next-line typescript/require-await
  async connectStream(remote: SocketAddress, options: StreamOptions): Promise<StreamConnection> {
    return connectStream(remote, options, this.#clock);
  }

  listenStream(local: SocketAddress, handlers: StreamHandlers): Promise<StreamListener> {
    return listenStream(local, handlers, this.#clock);
  }

  connectMessages(url: string, options?: ConnectOptions): MessageSocket {
    return NodeMessageSocket.connect(url, this.#clock, options);
  }

  listenHttp(local: SocketAddress, handlers: ServerHandlers): Promise<ListeningServer> {
    return listenHttp(local, handlers, this.#clock);
  }
}
