import { z } from "zod";
import {
  after,
  type Clock,
  type HttpRequest,
  type HttpResponse,
  type Instant,
} from "../../environment/index.ts";
import { requestTarget } from "../engine/request-target.ts";
import { schemaError } from "./client-events.ts";
import { errorResponse, keyOf } from "./handshake.ts";
import { SessionConfig } from "./session-config.ts";
import { SESSION_UPDATE_SCHEMA, type SessionUpdate } from "./session-schema.ts";
import { type Ids, isProtocolError, type ProtocolError, protocolError } from "./wire.ts";

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
  readonly #secrets = new Map<string, Secret>();

  constructor(apiKey: string, clock: Clock, ids: Ids) {
    this.#apiKey = apiKey;
    this.#clock = clock;
    this.#ids = ids;
  }

  /** Whether a connection may be opened with `key`. */
  readonly isValid = (key: string): boolean => this.grantOf(key) !== undefined;

  /** What a connection with `key` begins with; `undefined` where it opens none. */
  grantOf(key: string): KeyGrant | undefined {
    if (key === this.#apiKey) return {};
    const secret = this.#secrets.get(key);
    return secret !== undefined && this.#clock.now() < secret.expiresAt ? secret : undefined;
  }

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
    if (isProtocolError(wish)) return errorResponse(400, { type, ...wish });
    return this.#issue(wish);
  }

  #issue({ seconds, session }: Wish): HttpResponse {
    const config = new SessionConfig(this.#ids.next("sess"), session?.model, 0);
    const error = session === undefined ? undefined : config.update(session, false);
    if (error !== undefined) return errorResponse(400, { type: "invalid_request_error", ...error });
    const value = this.#ids.next("ek");
    const expiresAt = after(this.#clock.now(), seconds * 1000);
    this.#secrets.set(value, { expiresAt, ...(session === undefined ? {} : { session }) });
    const [oldest] = this.#secrets.keys();
    if (this.#secrets.size > SECRETS_MAX && oldest !== undefined) this.#secrets.delete(oldest);
    return {
      status: 200,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        value,
        expires_at: Math.floor(this.#clock.wallClockMs() / 1000) + seconds,
        session: config.view(),
      }),
    };
  }
}

/** What a key lets its connection begin with. */
export interface KeyGrant {
  /** The session that the key was made for; the client may still change it. */
  readonly session?: SessionUpdate;
}

interface Secret extends KeyGrant {
  readonly expiresAt: Instant;
}

interface Wish {
  readonly seconds: number;
  readonly session: SessionUpdate | undefined;
}

const WISH = z.object({
  expires_after: z
    .object({
      anchor: z.literal("created_at").optional(),
      seconds: z.number().int().min(SECONDS_MIN).max(SECONDS_MAX).optional(),
    })
    .optional(),
  session: SESSION_UPDATE_SCHEMA.optional(),
});

function parseWish(body: string): Wish | ProtocolError {
  let value: unknown;
  try {
    value = JSON.parse(body === "" ? "{}" : body);
  } catch {
    return protocolError("invalid_json", "The body is not JSON.");
  }
  const parsed = WISH.safeParse(value);
  if (!parsed.success) return schemaError(parsed.error, value);
  const { expires_after: expiry, session } = parsed.data;
  return { seconds: expiry?.seconds ?? SECONDS_DEFAULT, session };
}
