import {
  after,
  type Clock,
  type HttpRequest,
  type HttpResponse,
  type Instant,
  isoTimeMs,
  type Random,
  randomToken,
} from "../../environment/index.ts";
import { requestTarget } from "../engine/request-target.ts";
import { camelCased } from "./camel-case.ts";
import { credentialOf } from "./handshake.ts";

const PATH = /^\/v1(?:alpha|beta)\/(?:auth_tokens|authTokens)$/u;
const EXPIRE_MS = 30 * 60_000;
const EXPIRE_MS_MAX = 20 * 3_600_000;
const NEW_SESSION_MS = 60_000;
/** More tokens than this at a time: the oldest is forgotten. */
const TOKENS_MAX = 1000;

interface Token {
  usesLeft: number;
  readonly expiresAt: Instant;
  readonly newSessionsUntil: Instant;
  /** The `setup` that sessions of this token get, whatever the client asks for. */
  readonly setup: Readonly<Record<string, unknown>> | undefined;
  /** Paths of the setup that are locked; `undefined`: all of it. */
  readonly lockedFields: readonly string[] | undefined;
}

/** What a connection that came with a token may do. */
export interface TokenGrant {
  /** Whether a session may begin now; to go on with one is no use of the token. */
  use(isNewSession: boolean): boolean;
  /** The setup with what the token locks. */
  lock(setup: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
}

/** Ephemeral tokens: made for a few sessions, short-lived, and with a configuration of their own. */
export class AuthTokens {
  readonly #apiKey: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #tokens = new Map<string, Token>();

  constructor(apiKey: string, clock: Clock, random: Random) {
    this.#apiKey = apiKey;
    this.#clock = clock;
    this.#random = random;
  }

  /** What a token grants; `undefined` for one that is unknown or has expired. */
  grantOf(name: string): TokenGrant | undefined {
    const token = this.#tokens.get(name);
    if (token === undefined || this.#clock.now() >= token.expiresAt) return undefined;
    return {
      use: (isNewSession) => this.#use(token, isNewSession),
      lock: (setup) => locked(setup, token),
    };
  }

  /** Answers a request that makes a token; `undefined` where it is about something else. */
  answer(request: HttpRequest): HttpResponse | undefined {
    if (!isTokenPath(request.target)) return undefined;
    if (request.method !== "POST") return refusal(404, "NOT_FOUND", "Only POST makes a token.");
    if (credentialOf(request) !== this.#apiKey) {
      return refusal(401, "UNAUTHENTICATED", "API key not valid. Please pass a valid API key.");
    }
    const wish = parseWish(request.body, this.#clock.wallClockMs());
    if (typeof wish === "string") return refusal(400, "INVALID_ARGUMENT", wish);
    return this.#issue(wish);
  }

  #use(token: Token, isNewSession: boolean): boolean {
    const now = this.#clock.now();
    if (now >= token.expiresAt) return false;
    if (!isNewSession) return true;
    if (now >= token.newSessionsUntil || token.usesLeft === 0) return false;
    token.usesLeft -= 1;
    return true;
  }

  #issue(wish: Wish): HttpResponse {
    const now = this.#clock.now();
    const name = `auth_tokens/${randomToken(this.#random, 32)}`;
    this.#tokens.set(name, {
      // 0 stands for as often as one likes.
      usesLeft: wish.uses === 0 ? Number.POSITIVE_INFINITY : wish.uses,
      expiresAt: after(now, wish.expireMs),
      newSessionsUntil: after(now, wish.newSessionMs),
      setup: wish.setup,
      lockedFields: wish.lockedFields,
    });
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size > TOKENS_MAX && oldest !== undefined) this.#tokens.delete(oldest);
    return {
      status: 200,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name }),
    };
  }
}

/** A refusal as Google's services word it. */
export function refusal(code: number, status: string, message: string): HttpResponse {
  return {
    status: code,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ error: { code, message, status } }),
  };
}

interface Wish {
  readonly uses: number;
  readonly expireMs: number;
  readonly newSessionMs: number;
  readonly setup: Readonly<Record<string, unknown>> | undefined;
  readonly lockedFields: readonly string[] | undefined;
}

function parseWish(body: string, nowWallMs: number): Wish | string {
  try {
    const value = camelCased(JSON.parse(body === "" ? "{}" : body));
    return isObject(value) ? wishIn(value, nowWallMs) : "The body is not a JSON object.";
  } catch {
    return "The body is not JSON.";
  }
}

function wishIn(wish: Readonly<Record<string, unknown>>, nowWallMs: number): Wish | string {
  const uses = wish["uses"] ?? 1;
  if (typeof uses !== "number" || !Number.isInteger(uses) || uses < 0) {
    return "uses must be a whole number, 0 or more.";
  }
  const expireMs = untilMs(wish["expireTime"], nowWallMs) ?? EXPIRE_MS;
  const newSessionMs = untilMs(wish["newSessionExpireTime"], nowWallMs) ?? NEW_SESSION_MS;
  if (!(expireMs > 0 && expireMs <= EXPIRE_MS_MAX)) {
    return "expireTime must lie in the future, by 20 hours at most.";
  }
  if (!(newSessionMs > 0)) return "newSessionExpireTime must lie in the future.";
  return { uses, expireMs, newSessionMs, ...lockIn(wish) };
}

function lockIn({
  bidiGenerateContentSetup: setup,
  fieldMask,
}: Readonly<Record<string, unknown>>): Pick<Wish, "setup" | "lockedFields"> {
  const isMask = typeof fieldMask === "string" && fieldMask !== "";
  return {
    setup: isObject(setup) ? setup : undefined,
    lockedFields: isMask ? fieldMask.split(",") : undefined,
  };
}

/** NaN where the text is no time. */
function untilMs(text: unknown, nowWallMs: number): number | undefined {
  if (text === undefined) return undefined;
  return typeof text === "string" ? isoTimeMs(text) - nowWallMs : Number.NaN;
}

/** Locked fields win over what the client asks for; without a mask, all of them are locked. */
function locked(
  asked: Readonly<Record<string, unknown>>,
  { setup, lockedFields }: Token,
): Readonly<Record<string, unknown>> {
  if (setup === undefined) return asked;
  // How to go on with a session is always the client's to say.
  const { sessionResumption } = asked;
  const own = sessionResumption === undefined ? {} : { sessionResumption };
  if (lockedFields === undefined) return { ...setup, ...own };
  const result = structuredClone(asked) as Record<string, unknown>;
  for (const path of lockedFields) copyField(setup, result, path.split("."));
  return { ...result, ...own };
}

function copyField(
  from: Readonly<Record<string, unknown>>,
  to: Record<string, unknown>,
  path: readonly string[],
): void {
  const [name, ...rest] = path;
  if (name === undefined || name === "__proto__") return;
  const value = from[name];
  if (rest.length === 0 || !isObject(value)) {
    if (value !== undefined) to[name] = value;
    return;
  }
  const inner = isObject(to[name]) ? to[name] : {};
  copyField(value, inner, rest);
  to[name] = inner;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a request is for a token, as Google's clients ask for one. */
export function isTokenPath(target: string): boolean {
  return PATH.test(requestTarget(target).pathname.replaceAll(/\/{2,}/gu, "/"));
}
