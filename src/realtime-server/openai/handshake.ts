import type { HttpRequest, HttpResponse } from "../../environment/index.ts";
import { requestTarget } from "../engine/request-target.ts";

/** Where the WebSocket is offered: as OpenAI does, and as Azure does. */
const REALTIME_PATHS: ReadonlySet<string> = new Set(["/v1/realtime", "/openai/v1/realtime"]);
const SUBPROTOCOL = "realtime";
const KEY_SUBPROTOCOL = "openai-insecure-api-key.";

/** What the server makes of a wish to connect. */
export type Handshake =
  | {
      readonly accepted: true;
      readonly key: string;
      readonly model: string | undefined;
      readonly subprotocol?: string;
    }
  | { readonly accepted: false; readonly response: HttpResponse };

/** Judges a request to open a WebSocket; the key may come in any of the provider's three ways. */
export function judgeHandshake(
  request: HttpRequest,
  isValidKey: (key: string) => boolean,
): Handshake {
  const { pathname, searchParams } = requestTarget(request.target);
  if (!REALTIME_PATHS.has(pathname)) {
    return refuse(404, "invalid_request_error", "unknown_url", `Unknown request URL: ${pathname}.`);
  }
  const offered = listOf(request.headers["sec-websocket-protocol"]);
  const key = keyOf(request, offered);
  if (key === undefined || !isValidKey(key)) return unauthorized();
  if (searchParams.has("call_id")) {
    return refuse(404, "invalid_request_error", "call_id_not_found", "There is no such call.");
  }
  if (searchParams.get("intent") === "transcription") {
    const message = "The embedded server offers no transcription sessions.";
    return refuse(400, "invalid_request_error", "unsupported_intent", message);
  }
  const model = searchParams.get("model") ?? undefined;
  if (!offered.includes(SUBPROTOCOL)) return { accepted: true, key, model };
  return { accepted: true, key, model, subprotocol: SUBPROTOCOL };
}

/** The answer to a wrong key. It does not repeat the key. */
export function unauthorized(): Handshake & { accepted: false } {
  return refuse(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided.");
}

/** An answer of the provider's shape. */
export function refuse(
  status: number,
  type: string,
  code: string,
  message: string,
): Handshake & { accepted: false } {
  return { accepted: false, response: errorResponse(status, { type, code, message }) };
}

/** An HTTP error as the provider words it. */
export function errorResponse(
  status: number,
  error: { readonly type: string; readonly code: string; readonly message: string },
): HttpResponse {
  return {
    status,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ error: { ...error, param: null } }),
  };
}

/** The key of a request: bearer, Azure's `api-key`, or a subprotocol as browsers send it. */
export function keyOf(request: HttpRequest, offered: readonly string[] = []): string | undefined {
  const bearer = /^Bearer\s+(\S+)$/iu.exec(request.headers["authorization"] ?? "")?.[1];
  const inSubprotocol = offered.find((each) => each.startsWith(KEY_SUBPROTOCOL));
  return bearer ?? request.headers["api-key"] ?? inSubprotocol?.slice(KEY_SUBPROTOCOL.length);
}

function listOf(header: string | undefined): readonly string[] {
  return (header ?? "").split(",").map((each) => each.trim());
}
