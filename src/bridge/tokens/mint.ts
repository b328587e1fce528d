import {
  type Environment,
  type HttpClientResponse,
  isoText,
  isoTimeMs,
  isSidetoneError,
} from "../../environment/index.ts";
import type { AiProvider } from "../ai-providers.ts";
import { credentialHeaders, DIALECTS } from "../openai/dialects.ts";
import { type JsonObject, numberField, parseObject, textField } from "../provider/json-fields.ts";
import {
  type EphemeralToken,
  requireConfidential,
  tokenRefused,
  tokensUnsupported,
  tokenUnavailable,
} from "./ephemeral-token.ts";

/** What tokens are asked for with. */
export interface MintRequest {
  readonly provider: AiProvider;
  /** That of the sessions (ws: or wss:); the token endpoint is found from it. */
  readonly url: string;
  readonly apiKey: string;
  /** OpenAI: the session that the token begins with: type, model, voice, instructions, … */
  readonly session: JsonObject;
  /** How long sessions may be begun with it; default 600 s (OpenAI) and 60 s (Gemini). */
  readonly lifetimeMs?: number;
}

/** A service of ours that mints them (`sidetone tokens serve`). */
export interface TokenService {
  readonly url: string;
  /** Proves to the service who asks. Never logged or recorded. */
  readonly secret: string;
  /** Certificates of authorities to trust, PEM; default: those that the host knows. */
  readonly ca?: string;
}

type World = Pick<Environment, "clock" | "network">;

const TIMEOUT_MS = 8000;
const ANSWER_BYTES_MAX = 262_144;
/** §1.2: 10 s to 2 h. */
const OPENAI_SECONDS = { least: 10, most: 7200, usual: 600 };
/** §2.2. */
const GEMINI_NEW_SESSION_MS = 60_000;
const GEMINI_EXPIRE_MS = 30 * 60_000;

/**
 * Has the provider mint a token with a long-lived key.
 * @throws EnvironmentError ERR_TOKEN_REFUSED; RemoteError ERR_TOKEN_UNAVAILABLE; UsageError
 *   ERR_TOKENS_UNSUPPORTED.
 */
export async function mintToken(world: World, request: MintRequest): Promise<EphemeralToken> {
  if (request.provider === "gemini") return mintGemini(world, request);
  if (request.provider === "openai" || request.provider === "azure-openai") {
    return mintOpenAi(world, request);
  }
  throw tokensUnsupported(request.provider);
}

/**
 * Asks a tokens service for a token.
 * @throws as `mintToken`; UsageError ERR_TOKENS_NEED_TLS.
 */
export async function fetchToken(
  world: World,
  { url, secret, ca }: TokenService,
  wish: { readonly provider: AiProvider; readonly session: JsonObject },
): Promise<EphemeralToken> {
  requireConfidential(url);
  const endpoint = new URL("/v1/tokens", url).toString();
  const answer = await post(world, endpoint, {
    headers: { Authorization: `Bearer ${secret}` },
    body: wish,
    ...(ca === undefined ? {} : { ca }),
  });
  const value = textField(answer, "value");
  const startsUntilMs = isoTimeMs(textField(answer, "startsUntil") ?? "");
  const usableUntilMs = isoTimeMs(textField(answer, "usableUntil") ?? "");
  if (value === undefined || Number.isNaN(startsUntilMs) || Number.isNaN(usableUntilMs)) {
    throw tokenUnavailable(new URL(url).host, "its answer has no token");
  }
  return { value, startsUntilMs, usableUntilMs, isReusable: answer["isReusable"] === true };
}

/** A token as the tokens service hands it out; the reverse stands in `fetchToken`. */
export function tokenJson(token: EphemeralToken): JsonObject {
  const { value, startsUntilMs, usableUntilMs, isReusable } = token;
  return {
    value,
    startsUntil: isoText(startsUntilMs),
    usableUntil: isoText(usableUntilMs),
    isReusable,
  };
}

async function mintOpenAi(world: World, request: MintRequest): Promise<EphemeralToken> {
  const { least, most, usual } = OPENAI_SECONDS;
  const wanted = Math.round((request.lifetimeMs ?? usual * 1000) / 1000);
  const seconds = Math.min(most, Math.max(least, wanted));
  const endpoint = httpUrl(request.url);
  endpoint.pathname = `${endpoint.pathname.replace(/\/+$/u, "")}/client_secrets`;
  endpoint.search = "";
  const dialect = DIALECTS[request.provider === "azure-openai" ? "azure-openai" : "openai"];
  const answer = await post(world, endpoint.toString(), {
    headers: credentialHeaders(dialect, request.apiKey),
    body: { expires_after: { anchor: "created_at", seconds }, session: request.session },
  });
  const value = textField(answer, "value");
  const expiresAt = numberField(answer, "expires_at");
  if (value === undefined || expiresAt === undefined) {
    throw tokenUnavailable(endpoint.host, "its answer has no token");
  }
  const untilMs = expiresAt * 1000;
  return { value, startsUntilMs: untilMs, usableUntilMs: untilMs, isReusable: true };
}

/** The configuration is left to the connection: the token only says how long and how often. */
async function mintGemini(world: World, request: MintRequest): Promise<EphemeralToken> {
  const now = world.clock.wallClockMs();
  const startsUntilMs = now + (request.lifetimeMs ?? GEMINI_NEW_SESSION_MS);
  const usableUntilMs = Math.max(startsUntilMs, now + GEMINI_EXPIRE_MS);
  const endpoint = httpUrl(request.url);
  endpoint.pathname = "/v1alpha/auth_tokens";
  endpoint.search = "";
  const answer = await post(world, endpoint.toString(), {
    headers: { "x-goog-api-key": request.apiKey },
    body: {
      uses: 1,
      expireTime: isoText(usableUntilMs),
      newSessionExpireTime: isoText(startsUntilMs),
    },
  });
  // §2.2: the name is the token.
  const value = textField(answer, "name");
  if (value === undefined) throw tokenUnavailable(endpoint.host, "its answer has no token");
  return { value, startsUntilMs, usableUntilMs, isReusable: false };
}

/** ws: to http:, wss: to https:. */
function httpUrl(url: string): URL {
  return new URL(url.replace(/^ws/u, "http"));
}

async function post(
  { network }: World,
  url: string,
  request: {
    readonly headers: Readonly<Record<string, string>>;
    readonly body: JsonObject;
    readonly ca?: string;
  },
): Promise<JsonObject> {
  const { host } = new URL(url);
  const { headers, body, ...trust } = request;
  let answer: HttpClientResponse;
  try {
    answer = await network.requestHttp({
      method: "POST",
      url,
      headers: { "Content-Type": "application/json", ...headers },
      body: JSON.stringify(body),
      timeoutMs: TIMEOUT_MS,
      bytesMax: ANSWER_BYTES_MAX,
      reach: "anywhere",
      ...trust,
    });
  } catch (error) {
    throw tokenUnavailable(host, isSidetoneError(error) ? error.code : "the connection failed");
  }
  const { status } = answer;
  if (status === 401 || status === 403) throw tokenRefused(host, status);
  const value = parseObject(answer.body);
  if (status < 200 || status > 299 || value === undefined) {
    throw tokenUnavailable(host, `it answered HTTP ${status}`);
  }
  return value;
}
