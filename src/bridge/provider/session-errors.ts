import {
  EnvironmentError,
  isSidetoneError,
  RemoteError,
  type SidetoneError,
  UsageError,
} from "../../environment/index.ts";

const KEY_CODES: ReadonlySet<string> = new Set([
  "invalid_api_key",
  "invalid_organization",
  "account_deactivated",
  "insufficient_quota",
]);

/** Whether a provider's error code speaks of the credentials. */
export function isAboutCredentials(providerCode: string): boolean {
  return KEY_CODES.has(providerCode);
}

/** The connection never came to be. `host` has neither path nor query. */
export function connectFailure(host: string, cause: Error | undefined): SidetoneError {
  // No token could be had, which says more than a lost connection.
  if (isSidetoneError(cause)) return cause;
  const status = httpStatus(cause);
  if (status === 401 || status === 403) return unauthorized(host, `HTTP ${status}`);
  const observed = status === undefined ? systemCode(cause) : `it answered HTTP ${status}`;
  return new EnvironmentError(
    "ERR_AI_UNREACHABLE",
    `No AI session could be opened at ${host}: ${observed}. Is the URL right, and is the server up?`,
    { context: { host, ...(status === undefined ? {} : { status }) } },
  );
}

/** The server did not accept the key. */
export function unauthorized(host: string, observed: string): SidetoneError {
  return new EnvironmentError(
    "ERR_AI_UNAUTHORIZED",
    `The AI server at ${host} did not accept the API key (${observed}). Check the key and its rights.`,
    { context: { host, observed } },
  );
}

/** Nothing answered in time, not even the handshake. */
export function connectTimeout(host: string, limitMs: number): SidetoneError {
  return new EnvironmentError(
    "ERR_AI_UNREACHABLE",
    `No AI session could be opened at ${host} within ${limitMs} ms. Is the URL right, and is the server up?`,
    { context: { host, limitMs } },
  );
}

/** The server went silent although it owed us something. */
export function stalled(awaited: string, limitMs: number, lastEvent: string): SidetoneError {
  return new RemoteError(
    "ERR_AI_STALLED",
    `The AI server sent nothing for ${limitMs} ms while ${awaited} was awaited. See ai.jsonl for what came before.`,
    { context: { awaited, limitMs, lastEvent } },
  );
}

/** Our audio piles up because the connection takes none. */
export function backlogged(bufferedBytes: number, limitBytes: number): SidetoneError {
  return new RemoteError(
    "ERR_AI_STALLED",
    `The AI server takes no more audio: ${bufferedBytes} bytes are waiting (limit ${limitBytes}). Is the connection too slow?`,
    { context: { bufferedBytes, limitBytes } },
  );
}

/** The connection ended while the session was in use. */
export function closedByServer(closeCode: number, reason: string): SidetoneError {
  return new RemoteError(
    "ERR_AI_CLOSED",
    `The AI session was ended by the server or the network (WebSocket close code ${closeCode}). See ai.jsonl for what came before.`,
    { context: { closeCode, reason } },
  );
}

/** The server refused our `session.update`. */
export function settingsRejected(providerCode: string, detail: string): SidetoneError {
  return new UsageError(
    "ERR_AI_SETTINGS_REJECTED",
    `The AI server refused the session's settings (${providerCode}). Check model, voice, turn detection and tools.`,
    { context: { providerCode, detail } },
  );
}

/** The server failed before the session was ready. */
export function providerFailed(providerCode: string, detail: string): SidetoneError {
  return new RemoteError(
    "ERR_AI_PROVIDER_ERROR",
    `The AI server reported an error before the session was ready (${providerCode}). See ai.jsonl.`,
    { context: { providerCode, detail } },
  );
}

/** The server runs the session with another audio format than we asked for. */
export function formatMismatch(
  direction: string,
  format: string,
  asked: { readonly type: string; readonly sampleRateHz: number },
): SidetoneError {
  return new RemoteError(
    "ERR_AI_FORMAT_MISMATCH",
    `The AI server set the ${direction} format to ${format}, but ${asked.type} at ${asked.sampleRateHz} Hz was asked for.`,
    { context: { direction, format } },
  );
}

function httpStatus(cause: Error | undefined): number | undefined {
  if (cause === undefined) return undefined;
  const carried = (cause as { readonly statusCode?: unknown }).statusCode;
  return typeof carried === "number" ? carried : undefined;
}

/** Only the system's error code: a message may quote the URL or headers. */
function systemCode(cause: Error | undefined): string {
  const carried = (cause as { readonly code?: unknown } | undefined)?.code;
  return typeof carried === "string" && /^[A-Z_]+$/u.test(carried)
    ? carried
    : "the connection failed";
}
