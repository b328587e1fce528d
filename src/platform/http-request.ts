import { lookup as lookUp } from "node:dns/promises";
import { type IncomingMessage, request as requestPlain } from "node:http";
import { request as requestSecure } from "node:https";
import { isIP, type LookupFunction, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  errorText,
  type HttpClientRequest,
  type HttpClientResponse,
  isSidetoneError,
  RemoteError,
  type SocketAddress,
} from "../environment/index.ts";
import { isPublicAddress } from "./public-address.ts";

/** Finds the numeric addresses of a name; a test brings its own. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** What carries a request in place of the host's TCP and timers. */
export interface RequestTransport {
  connect(remote: SocketAddress): Duplex;
  /** A signal that is aborted after so long. */
  timeoutSignal(ms: number): AbortSignal;
}

const resolveByHost: Resolve = async (name) => {
  const found = await lookUp(name, { all: true });
  return found.map(({ address }) => address);
};

/**
 * Makes one HTTP request; see `Network.requestHttp`.
 *
 * The name is looked up once, here, and the connection made to the address that was judged: there
 * is no second look-up that could lead elsewhere (DNS rebinding). The address that the socket
 * really has is judged again before the request is written.
 */
export async function requestHttp(
  request: HttpClientRequest,
  resolve: Resolve = resolveByHost,
  transport?: RequestTransport,
): Promise<HttpClientResponse> {
  const timeout =
    transport?.timeoutSignal(request.timeoutMs) ?? AbortSignal.timeout(request.timeoutMs);
  const { signal } = request;
  const ends = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  try {
    ends.throwIfAborted();
    return await exchange(request, { resolve, transport }, ends);
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    if (isSidetoneError(error)) throw error;
    if (timeout.aborted) throw timedOut(request);
    throw failed(request, error);
  }
}

async function exchange(
  request: HttpClientRequest,
  {
    resolve,
    transport,
  }: { readonly resolve: Resolve; readonly transport: RequestTransport | undefined },
  ends: AbortSignal,
): Promise<HttpClientResponse> {
  const url = new URL(request.url);
  const address = await unlessEnded(permittedAddress(request, url, resolve), ends);
  return new Promise((settle, reject) => {
    const open = url.protocol === "https:" ? requestSecure : requestPlain;
    const outgoing = open(url, {
      method: request.method,
      headers: { "User-Agent": "Sidetone", ...request.headers, Connection: "close" },
      lookup: fixedLookup(address),
      signal: ends,
      ...(request.ca === undefined ? {} : { ca: request.ca }),
      // No pool: a connection that was kept has not been judged for this request.
      ...(transport === undefined
        ? { agent: false }
        : { createConnection: () => transport.connect({ address, port: Number(url.port) || 80 }) }),
    });
    outgoing.on("socket", (socket) => watch(socket, request, reject));
    outgoing.on("error", reject);
    outgoing.on("response", (response) => {
      read(response, request).then(settle, (error: unknown) => {
        outgoing.destroy();
        reject(error);
      });
    });
    outgoing.end(request.body);
  });
}

/** @throws RemoteError ERR_HTTP_ADDRESS_REFUSED where any address of the name is out of reach. */
async function permittedAddress(
  request: HttpClientRequest,
  url: URL,
  resolve: Resolve,
): Promise<string> {
  const host = url.hostname.replace(/^\[(.*)\]$/u, "$1");
  const addresses = isIP(host) === 0 ? await resolve(host) : [host];
  const [first] = addresses;
  if (first === undefined) throw new Error(`${host} has no address.`);
  // One that is out of reach among others that are not is a trap, not a mistake.
  if (request.reach === "public" && !addresses.every(isPublicAddress)) throw refused(url);
  return first;
}

/** Judges the address connected to, before a byte of the request has left. */
function watch(socket: Socket, request: HttpClientRequest, reject: (error: Error) => void): void {
  if (request.reach === "anywhere") return;
  socket.once("connect", () => {
    if (isPublicAddress(socket.remoteAddress ?? "")) return;
    socket.destroy();
    reject(refused(new URL(request.url)));
  });
}

async function read(
  response: IncomingMessage,
  request: HttpClientRequest,
): Promise<HttpClientResponse> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > request.bytesMax) throw tooLarge(request);
    chunks.push(chunk);
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return {
    status: response.statusCode ?? 0,
    headers,
    body: Buffer.concat(chunks).toString("utf8"),
  };
}

function fixedLookup(address: string): LookupFunction {
  const family = isIP(address);
  return (_name, options, done) => {
    if (options.all === true) done(null, [{ address, family }]);
    else done(null, address, family);
  };
}

function unlessEnded<Value>(value: Promise<Value>, ends: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    ends.addEventListener("abort", () => reject(ends.reason as Error), { once: true });
    value.then(resolve, reject);
  });
}

/** Messages name the host alone: a path or a query may hold what is nobody's business. */
function refused({ host }: URL): RemoteError {
  return new RemoteError(
    "ERR_HTTP_ADDRESS_REFUSED",
    `${host} leads to an address that is not of the public internet (loopback, private, link-local or special). Permit private addresses for it where that is meant.`,
    { context: { host } },
  );
}

function timedOut({ url, timeoutMs }: HttpClientRequest): RemoteError {
  const { host } = new URL(url);
  return new RemoteError(
    "ERR_HTTP_TIMED_OUT",
    `${host} had not answered completely after ${timeoutMs} ms.`,
    { context: { host, timeoutMs } },
  );
}

function tooLarge({ url, bytesMax }: HttpClientRequest): RemoteError {
  const { host } = new URL(url);
  return new RemoteError(
    "ERR_HTTP_TOO_LARGE",
    `The answer of ${host} is longer than ${bytesMax} bytes.`,
    { context: { host, bytesMax } },
  );
}

function failed({ url }: HttpClientRequest, cause: unknown): RemoteError {
  const { host } = new URL(url);
  const code = (cause as { readonly code?: unknown } | null)?.code;
  const why = typeof code === "string" ? code : errorText(cause);
  return new RemoteError("ERR_HTTP_FAILED", `${host} could not be asked: ${why}.`, {
    context: { host },
    cause,
  });
}
