import type {
  Clock,
  ConnectOptions,
  DatagramSocket,
  Dns,
  HttpClientRequest,
  HttpClientResponse,
  ListeningServer,
  MessageSocket,
  Network,
  ServerHandlers,
  SocketAddress,
  StreamConnection,
  StreamHandlers,
  StreamListener,
  StreamOptions,
} from "../environment/index.ts";
import { NodeDatagramSocket } from "./datagram-socket.ts";
import { NodeDns } from "./dns.ts";
import { requestHttp } from "./http-request.ts";
import { listenHttp } from "./http-server.ts";
import { localAddressTowards } from "./local-address.ts";
import { NodeMessageSocket } from "./message-socket.ts";
import { connectStream } from "./stream-connection.ts";
import { listenStream } from "./stream-listener.ts";

/** The host's own network. */
export class NodeNetwork implements Network {
  readonly dns: Dns;
  readonly #clock: Clock;

  /**
   * @param dnsServers instead of the host's; see `NodeDns`.
   * @throws UsageError ERR_DNS_SERVER_MALFORMED.
   */
  constructor(clock: Clock, dnsServers: readonly string[] = []) {
    this.dns = new NodeDns(dnsServers);
    this.#clock = clock;
  }

  bindDatagram(local: SocketAddress): Promise<DatagramSocket> {
    return NodeDatagramSocket.bind(local, this.#clock);
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

  requestHttp(request: HttpClientRequest): Promise<HttpClientResponse> {
    return requestHttp(request);
  }
}
