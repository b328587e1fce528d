import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type {
  Clock,
  HttpRequest,
  HttpResponse,
  ListeningServer,
  ServerHandlers,
  SocketAddress,
  TlsIdentity,
} from "../environment/index.ts";
import { listenError } from "./listen-error.ts";
import { MESSAGE_BYTES_MAX, NodeMessageSocket } from "./message-socket.ts";
import { tlsMaterial, withMaterial } from "./stream-connection.ts";

/** Largest HTTP body taken; session objects are a few KiB. */
const BODY_BYTES_MAX = 1024 * 1024;
/** What is read of a larger one: most clients look for the answer only once they have sent all. */
const DRAINED_BYTES_MAX = 8 * BODY_BYTES_MAX;
const TOO_LARGE: HttpResponse = {
  status: 413,
  headers: { connection: "close" },
  body: "The request's body is larger than 1 MiB.",
};

/** Listens for HTTP requests and WebSocket upgrades on one port. */
export async function listenHttp(
  local: SocketAddress,
  handlers: ServerHandlers,
  clock: Clock,
): Promise<ListeningServer> {
  const { server, endSockets } = createService(handlers, clock);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(listenError(error, "TCP", local)));
    server.listen(local.port, local.address, resolve);
  });
  const bound = server.address() as AddressInfo;
  return {
    local: { address: bound.address, port: bound.port },
    close: () =>
      new Promise((resolve) => {
        endSockets();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A server that listens nowhere: whoever has a connection hands it over. */
export interface ConnectionService {
  accept(connection: Duplex): void;
  /** Ends every connection. */
  close(): void;
}

/** The same for connections that are no sockets of the host. */
export function serveConnections(handlers: ServerHandlers, clock: Clock): ConnectionService {
  const { server, endSockets } = createService(handlers, clock);
  const open = new Set<Duplex>();
  return {
    accept: (connection) => {
      open.add(connection);
      connection.once("close", () => open.delete(connection));
      server.emit("connection", connection);
    },
    close: () => {
      endSockets();
      for (const connection of open) connection.destroy();
    },
  };
}

/** HTTP requests and WebSocket upgrades, answered by `handlers`. */
function createService(
  handlers: ServerHandlers,
  clock: Clock,
): { readonly server: Server; readonly endSockets: () => void } {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES_MAX,
    clientTracking: true,
    // Our handlers choose the subprotocol; ws asks through this hook.
    handleProtocols: (_offered, request) => chosenSubprotocols.get(request) ?? false,
  });
  const server = createListener(handlers.tls, (request, response) => {
    void answerRequest(request, response, handlers);
  });
  server.on("upgrade", (request, stream, head) => {
    const decision = handlers.onUpgrade(requestOf(request, ""));
    if (!decision.accept) {
      refuseUpgrade(stream, decision.response);
      return;
    }
    if (decision.subprotocol !== undefined) chosenSubprotocols.set(request, decision.subprotocol);
    sockets.handleUpgrade(request, stream, head, (socket) => {
      decision.onConnection(new NodeMessageSocket(socket, clock));
    });
  });
  const endSockets = (): void => {
    for (const client of sockets.clients) client.terminate();
    sockets.close();
  };
  return { server, endSockets };
}

function createListener(tls: TlsIdentity | undefined, listener: RequestListener): Server {
  if (tls === undefined) return createServer(listener);
  return withMaterial(() => createTlsServer(tlsMaterial(tls), listener));
}

const chosenSubprotocols = new WeakMap<IncomingMessage, string>();

async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: ServerHandlers,
): Promise<void> {
  const answer = await answerTo(request, handlers);
  if (response.destroyed) return;
  response.writeHead(answer.status, { ...answer.headers });
  response.end(answer.body ?? "");
}

async function answerTo(request: IncomingMessage, handlers: ServerHandlers): Promise<HttpResponse> {
  try {
    const body = await bodyOf(request);
    if (body === undefined) return TOO_LARGE;
    return await handlers.onRequest(requestOf(request, body));
  } catch {
    return { status: 500, body: "The server failed to answer; its log says why." };
  }
}

/** `undefined` where it is too large. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers["content-length"] ?? 0) > DRAINED_BYTES_MAX) return undefined;
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop would otherwise destroy the request, and the answer's connection with it.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const piece = chunk as Buffer;
    bytes += piece.length;
    if (bytes > DRAINED_BYTES_MAX) return undefined;
    if (bytes <= BODY_BYTES_MAX) chunks.push(piece);
  }
  return bytes > BODY_BYTES_MAX ? undefined : Buffer.concat(chunks).toString("utf8");
}

function requestOf(request: IncomingMessage, body: string): HttpRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return { method: request.method ?? "GET", target: request.url ?? "/", headers, body };
}

function refuseUpgrade(stream: Duplex, response: HttpResponse): void {
  const body = response.body ?? "";
  const headers = {
    ...response.headers,
    "Content-Length": String(Buffer.byteLength(body)),
    Connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  stream.on("error", () => stream.destroy());
  stream.end(
    `HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ""}\r\n${lines.join("")}\r\n${body}`,
  );
}
