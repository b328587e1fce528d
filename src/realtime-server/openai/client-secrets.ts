import {
  after,
  type Clock,
  type HttpRequest,
  type HttpResponse,
  type Instant,
} from "../../environment/index.ts";
import { requestTarget } from "../engine/request-target.ts";
import { errorResponse, keyOf } from "./handshake.ts";
import { SessionConfig } from "./session-config.ts";
import type { Ids } from "./wire.ts";

/** Where ephemeral keys are made. */
const PATHS: ReadonlySet<string> = new Set([
  "/v1/realtime/client_secrets",
  "/openai/v1/realtime/client_secrets",
]);
const SECONDS_DEFAULT = 600;
const SECONDS_MIN = 10;
const SECONDS_MAX = 7200;
/** More keys than this at a time: the oldest is forgotten. */
const SECRETS_MAX = 1000;

/** The keys that open connections: the server's own, and ephemeral ones until they expire. */
export class ClientSecrets {
  readonly #apiKey: string;
  readonly #clock: Clock;
  readonly #ids: Ids;
  readonly #expiries = new Map<string, Instant>();

  constructor(apiKey: string, clock: Clock, ids: Ids) {
    this.#apiKey = apiKey;
    this.#clock = clock;
    this.#ids = ids;
  }

  /** Whether a connection may be opened with `key`. */
  readonly isValid = (key: string): boolean => {
    const expiry = this.#expiries.get(key);
    return key === this.#apiKey || (expiry !== undefined && this.#clock.now() < expiry);
  };

  /** Answers a plain HTTP request: makes an ephemeral key, or says why not. */
  answer(request: HttpRequest): HttpResponse {
    const { pathname } = requestTarget(request.target);
    const type = "invalid_request_error";
    if (request.method !== "POST" || !PATHS.has(pathname)) {
      const message = `Unknown request URL: ${request.method} ${pathname}.`;
      return errorResponse(404, { type, code: "unknown_url", message });
    }
    if (keyOf(request) !== this.#apiKey) {
      const message = "Incorrect API key provided.";
      return errorResponse(401, { type, code: "invalid_api_key", message });
    }
    const wish = parseWish(request.body);
    if (wish === undefined) {
      const message = "expires_after.seconds must be between 10 and 7200.";
      return errorResponse(400, { type, code: "invalid_value", message });
    }
    return this.#issue(wish);
  }

  #issue({ seconds, model }: Wish): HttpResponse {
    const value = this.#ids.next("ek");
    this.#expiries.set(value, after(this.#clock.now(), seconds * 1000));
    const [oldest] = this.#expiries.keys();
    if (this.#expiries.size > SECRETS_MAX && oldest !== undefined) this.#expiries.delete(oldest);
    const expiresAt = Math.floor(this.#clock.wallClockMs() / 1000) + seconds;
    const session = new SessionConfig(this.#ids.next("sess"), model, 0).view();
    return {
      status: 200,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ value, expires_at: expiresAt, session }),
    };
  }
}

interface Wish {
  readonly seconds: number;
  readonly model: string | undefined;
}

function parseWish(body: string): Wish | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body === "" ? "{}" : body);
  } catch {
    return undefined;
  }
  const { expires_after: expiry, session } = (value ?? {}) as {
    expires_after?: { seconds?: unknown };
    session?: { model?: unknown };
  };
  const seconds = expiry?.seconds ?? SECONDS_DEFAULT;
  if (typeof seconds !== "number" || seconds < SECONDS_MIN || seconds > SECONDS_MAX) {
    return undefined;
  }
  return { seconds, model: typeof session?.model === "string" ? session.model : undefined };
}
