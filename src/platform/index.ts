/**
 * Node itself: clocks, sockets, WebSocket, files and threads behind the interfaces of
 * `environment/`. It knows nothing of SIP, audio or AI.
 */
export { ConnectionStream } from "./connection-stream.ts";
export { createEnvironment, type EnvironmentOptions, randomSeed } from "./environment.ts";
export { espeakWav } from "./espeak.ts";
export { idle, keepAlive, nextTurn, replaceGlobalTimers } from "./event-loop.ts";
export { type EventLoopLag, EventLoopMonitor } from "./event-loop-lag.ts";
export { fileBlocks, kindOfPath } from "./file-blocks.ts";
export { NodeFileStore } from "./files.ts";
export { requestHttp } from "./http-request.ts";
export { type ConnectionService, serveConnections } from "./http-server.ts";
export { openJournal, type ProcessJournal, takeLeftJournals } from "./journal-files.ts";
export { type LastMoments, watchLastMoments } from "./last-moments.ts";
export { localAddressTowards } from "./local-address.ts";
export { cacheFolder, hostName } from "./machine-info.ts";
export { type MessageTransport, NodeMessageSocket } from "./message-socket.ts";
export { serveNamespace } from "./namespace-holder.ts";
export { NodeNamespaceHost } from "./namespaces.ts";
export { NodeNetwork } from "./network.ts";
export { NodeCryptography } from "./node-cryptography.ts";
export { compiledModule, hostInfo, type PackageInfo, packageInfo } from "./package-info.ts";
export { type ProcessChannel, parentProcessChannel, startProcess } from "./processes.ts";
export { PunctualClock } from "./punctual-clock.ts";
export { type IssuedCertificate, issueServerCertificate } from "./server-certificate.ts";
export { soxBlocks } from "./sox.ts";
export { SystemClock } from "./system-clock.ts";
export { giveWay, parentChannel, startThread, threadData } from "./threads.ts";
export { loadUserModule, loadUserPackage } from "./user-modules.ts";
export { variable, variableList, warnOnce } from "./variables.ts";
