/**
 * Ring 0: what code may ask of the world, as interfaces, and the words for time and errors.
 * It knows nothing of Node, SIP or audio.
 */
export { assert, present } from "./assert.ts";
export type { Channel } from "./channel.ts";
export type { Clock, Timer } from "./clock.ts";
export type { AesBlocks, AesGcm, Cryptography, HashName, HmacSha1 } from "./cryptography.ts";
export type { AddressRecord, Dns, NaptrRecord, SrvRecord } from "./dns.ts";
export {
  EnvironmentError,
  type ErrorContext,
  type ErrorDetails,
  ExpectationError,
  errorText,
  type Fault,
  isSidetoneError,
  RemoteError,
  SidetoneError,
  UsageError,
} from "./errors.ts";
export type { HttpClientRequest, HttpClientResponse } from "./http-client.ts";
export { after, elapsedMs, type Instant, instant } from "./instant.ts";
export { type LogFields, type Logger, SILENT_LOGGER } from "./logger.ts";
export type { HostCommand, NamespaceHost, NetworkNamespace } from "./namespaces.ts";
export { type Random, randomInteger, randomToken, seededRandom } from "./random.ts";
export type { SocketAddress } from "./socket-address.ts";
export type {
  ConnectOptions,
  DatagramSocket,
  HttpRequest,
  HttpResponse,
  ListeningServer,
  MessageSocket,
  MessageSocketState,
  Network,
  ServerHandlers,
  UpgradeDecision,
} from "./sockets.ts";
export type {
  StreamConnection,
  StreamHandlers,
  StreamListener,
  StreamOptions,
  TlsClientOptions,
  TlsIdentity,
  TlsServerOptions,
} from "./streams.ts";
export { isoText, isoTimeMs } from "./wall-clock.ts";
export type { Environment, FileStore } from "./world.ts";
