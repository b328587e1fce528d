import {
  type Environment,
  elapsedMs,
  type HttpRequest,
  type HttpResponse,
  type Instant,
  isSidetoneError,
  UsageError,
} from "../../environment/index.ts";
import { AI_PROVIDERS, type AiProvider } from "../ai-providers.ts";
import { type JsonObject, objectField, parseObject, textField } from "../provider/json-fields.ts";
import { mintToken, tokenJson } from "./mint.ts";

/** Whoever may ask for tokens. */
export interface TokenClient {
  /** For the log. */
  readonly name: string;
  readonly secret: string;
}

/** What the tokens service may do. */
export interface TokenDeskOptions {
  readonly clients: readonly TokenClient[];
  /** Where each provider's sessions are, and the key that stays here. */
  readonly providers: Readonly<
    Partial<Record<AiProvider, { readonly url: string; readonly apiKey: string }>>
  >;
  /** Models that tokens are given for; default: all. Gemini's tokens do not name one. */
  readonly models?: readonly string[];
  /** Requests of one client in a minute; so many at once, too. */
  readonly perMinute: number;
  /** Gets a line per request: who, what, outcome. Never a secret. */
  readonly log: (line: string) => void;
}

interface Bucket {
  left: number;
  at: Instant;
}

const SECRET_LENGTH_MIN = 16;
const MINUTE_MS = 60_000;
/** Wrong secrets in a minute, from whomever: guessing is slowed down for all. */
const WRONG_PER_MINUTE = 60;
const WRONG = "";
const TYPE = { "Content-Type": "application/json", "Cache-Control": "no-store" };

/**
 * Hands out ephemeral tokens over HTTP: `POST /v1/tokens` for those who know a secret, and
 * `GET /health` for everybody. The providers' keys are known here and nowhere else. It listens to
 * nothing itself.
 */
export class TokenDesk {
  readonly #environment: Environment;
  readonly #options: TokenDeskOptions;
  readonly #digests: readonly { readonly name: string; readonly digest: Uint8Array }[];
  readonly #buckets = new Map<string, Bucket>();
  readonly #pending = new Set<Promise<HttpResponse>>();
  #isClosing = false;

  /** @throws UsageError ERR_TOKENS_SECRET. */
  constructor(environment: Environment, options: TokenDeskOptions) {
    const { clients } = options;
    if (clients.length === 0 || !clients.every(isFit)) {
      throw new UsageError(
        "ERR_TOKENS_SECRET",
        `The tokens service needs a secret for each client: ${SECRET_LENGTH_MIN} or more visible characters, e.g. of "openssl rand -hex 32".`,
      );
    }
    this.#environment = environment;
    this.#options = options;
    this.#digests = clients.map(({ name, secret }) => ({ name, digest: this.#digest(secret) }));
  }

  /** Answers one request; never throws. */
  async answer(request: HttpRequest): Promise<HttpResponse> {
    const answer = this.#answer(request);
    this.#pending.add(answer);
    try {
      return await answer;
    } finally {
      this.#pending.delete(answer);
    }
  }

  /** From now on requests are turned away; resolves when those under way have their answer. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await Promise.allSettled(this.#pending);
  }

  async #answer(request: HttpRequest): Promise<HttpResponse> {
    const path = request.target.split("?", 1)[0];
    if (path === "/health") {
      return this.#isClosing
        ? refusal(503, "stopping", "The service is being stopped.")
        : { status: 200, headers: TYPE, body: '{"status":"ok"}' };
    }
    if (path !== "/v1/tokens") return refusal(404, "not_found", "There is only /v1/tokens.");
    if (request.method !== "POST") return refusal(405, "method", "Only POST gives a token.");
    if (this.#isClosing) return refusal(503, "stopping", "The service is being stopped.");
    const client = this.#clientOf(request);
    if (client === undefined) return this.#turnAway();
    if (!this.#mayAsk(client, this.#options.perMinute)) {
      this.#options.log(`${client}: refused, too many requests`);
      return tooMany();
    }
    const { outcome, response } = await this.#mint(request.body);
    this.#options.log(`${client}: ${outcome}`);
    return response;
  }

  /** Every secret is compared, in a time that tells nothing of where they differ. */
  #clientOf({ headers }: HttpRequest): string | undefined {
    const secret = /^Bearer ([\u0021-\u007e]+)$/u.exec(headers["authorization"] ?? "")?.[1] ?? "";
    const digest = this.#digest(secret);
    const { cryptography } = this.#environment;
    let name: string | undefined;
    for (const each of this.#digests) {
      if (cryptography.timingSafeEqual(each.digest, digest)) name = each.name;
    }
    return name;
  }

  #turnAway(): HttpResponse {
    const response = refusal(401, "unauthorized", "The secret is missing or not known.");
    if (!this.#mayAsk(WRONG, WRONG_PER_MINUTE)) return tooMany();
    this.#options.log("refused: no known secret");
    return { ...response, headers: { ...TYPE, "WWW-Authenticate": "Bearer" } };
  }

  async #mint(body: string): Promise<{ outcome: string; response: HttpResponse }> {
    const wish = wishIn(body);
    const access = wish && this.#options.providers[wish.provider];
    if (wish === undefined) {
      const response = refusal(400, "malformed", "The body must name a provider and a session.");
      return { outcome: "refused, malformed request", response };
    }
    if (access === undefined) {
      const response = refusal(400, "provider", "No tokens of this provider are given here.");
      return { outcome: `refused, no ${wish.provider}`, response };
    }
    const { models } = this.#options;
    const model = textField(wish.session, "model");
    if (models !== undefined && wish.provider !== "gemini" && !models.includes(model ?? "")) {
      const response = refusal(403, "model", "No tokens for this model are given here.");
      return { outcome: "refused, a model that is not permitted", response };
    }
    try {
      const token = await mintToken(this.#environment, { ...access, ...wish });
      const response = { status: 200, headers: TYPE, body: JSON.stringify(tokenJson(token)) };
      return { outcome: `a token of ${wish.provider}`, response };
    } catch (error) {
      const code = isSidetoneError(error) ? error.code : "ERR_TOKEN_UNAVAILABLE";
      // The provider did not accept our key: nothing that the client could mend.
      return { outcome: code, response: refusal(502, code, "The provider gave no token.") };
    }
  }

  /** A bucket of tokens per client: it fills in a minute, and holds as many at once. */
  #mayAsk(client: string, perMinute: number): boolean {
    const now = this.#environment.clock.now();
    const bucket = this.#buckets.get(client) ?? { left: perMinute, at: now };
    const gained = (elapsedMs(bucket.at, now) * perMinute) / MINUTE_MS;
    bucket.left = Math.min(perMinute, bucket.left + gained);
    bucket.at = now;
    this.#buckets.set(client, bucket);
    if (bucket.left < 1) return false;
    bucket.left -= 1;
    return true;
  }

  #digest(secret: string): Uint8Array {
    return this.#environment.cryptography.hash("SHA-256", new TextEncoder().encode(secret));
  }
}

function isFit({ secret }: TokenClient): boolean {
  return secret.length >= SECRET_LENGTH_MIN && /^[\u0021-\u007e]+$/u.test(secret);
}

function wishIn(
  body: string,
): { readonly provider: AiProvider; readonly session: JsonObject } | undefined {
  const value = parseObject(body);
  const name = textField(value, "provider");
  const provider = AI_PROVIDERS.find((each) => each === name);
  const session = objectField(value, "session");
  return provider === undefined || session === undefined ? undefined : { provider, session };
}

function refusal(status: number, code: string, message: string): HttpResponse {
  return { status, headers: TYPE, body: JSON.stringify({ error: { code, message } }) };
}

function tooMany(): HttpResponse {
  const response = refusal(429, "too_many_requests", "Too many requests; try again later.");
  return { ...response, headers: { ...TYPE, "Retry-After": "10" } };
}
