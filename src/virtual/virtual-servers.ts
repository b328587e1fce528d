import type {
  Clock,
  ListeningServer,
  ServerHandlers,
  SocketAddress,
} from "../environment/index.ts";
import { ConnectionStream, serveConnections } from "../platform/index.ts";
import { requirePlain } from "./virtual-limits.ts";
import type { VirtualStreams } from "./virtual-streams.ts";

const CONNECT_LIMIT_MS = 10_000;
const LOOPBACK = "127.0.0.1";

/**
 * HTTP and WebSocket within one process and under one clock: Node's own HTTP and the ws library
 * over virtual TCP. Whatever else stands on that, such as a relay, may lie between.
 */
export class VirtualServers {
  readonly #clock: Clock;
  readonly #streams: VirtualStreams;

  constructor(clock: Clock, streams: VirtualStreams) {
    this.#clock = clock;
    this.#streams = streams;
  }

  async listen(local: SocketAddress, handlers: ServerHandlers): Promise<ListeningServer> {
    if (handlers.tls !== undefined) requirePlain("https:");
    const service = serveConnections(handlers, this.#clock);
    const listener = await this.#streams.listen(local, {
      onConnection: (connection) => service.accept(new ConnectionStream(connection, this.#clock)),
      onRefused: () => undefined,
    });
    return {
      local: listener.local,
      close: async () => {
        await listener.close();
        service.close();
      },
    };
  }

  /** A client's end of a new connection. */
  connect(server: SocketAddress): ConnectionStream {
    const connecting = this.#streams.connect(server, {
      localAddress: LOOPBACK,
      timeoutMs: CONNECT_LIMIT_MS,
    });
    return new ConnectionStream(connecting, this.#clock);
  }
}
