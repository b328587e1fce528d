import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Clock, SocketAddress, StreamHandlers, StreamListener } from "../environment/index.ts";
import { listenError } from "./listen-error.ts";
import { NodeStreamConnection, tlsMaterial, withMaterial } from "./stream-connection.ts";
import { streamFailure } from "./tls-failure.ts";

/** A client that does not finish its handshake by then is dropped. */
const HANDSHAKE_LIMIT_MS = 10_000;

/** Listens for TCP or TLS connections; see `Network.listenStream`. */
export async function listenStream(
  local: SocketAddress,
  handlers: StreamHandlers,
  clock: Clock,
): Promise<StreamListener> {
  const server = createListener(handlers, clock);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(listenError(error, "TCP", local)));
    server.listen({ port: local.port, host: local.address, exclusive: true }, resolve);
  });
  server.removeAllListeners("error");
  // Running out of file descriptors is told per connection, which then does not come about.
  server.on("error", () => {});
  const { address, port } = server.address() as AddressInfo;
  return {
    local: { address, port },
    close: () =>
      new Promise((resolve) => {
        server.close();
        // `close` would wait for the connections, which have owners of their own.
        resolve();
      }),
  };
}

function createListener(handlers: StreamHandlers, clock: Clock): Server {
  const accept = (socket: Socket): void => {
    handlers.onConnection(new NodeStreamConnection(socket, clock));
  };
  const { tls } = handlers;
  if (tls === undefined) return createServer({ allowHalfOpen: false }, accept);
  const server = withMaterial(() =>
    createTlsServer(
      {
        ...tlsMaterial(tls),
        requestCert: tls.requiresClientCertificate,
        rejectUnauthorized: tls.requiresClientCertificate,
        handshakeTimeout: HANDSHAKE_LIMIT_MS,
      },
      accept,
    ),
  );
  server.on("tlsClientError", (error, socket) => {
    const remote = { address: socket.remoteAddress ?? "?", port: socket.remotePort ?? 0 };
    handlers.onRefused(streamFailure(error, remote));
  });
  return server;
}
