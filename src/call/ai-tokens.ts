import {
  fetchToken,
  type MintRequest,
  mintToken,
  type openAiTokenSession,
  TokenCache,
  tokensUnsupported,
} from "../bridge/index.ts";
import { type Environment, UsageError } from "../environment/index.ts";
import type { AiOptions } from "./agent-options.ts";

/** One for each agent, so that its calls share what may be shared. */
const caches = new WeakMap<AiOptions, TokenCache>();

/**
 * Where the sessions of these options get their tokens, if they use any.
 * @throws UsageError ERR_TOKENS_UNSUPPORTED.
 */
export function tokensOf(
  environment: Environment,
  ai: AiOptions,
  session: () => ReturnType<typeof openAiTokenSession>,
): { readonly tokens?: TokenCache } {
  const { tokens, provider } = ai;
  if (tokens === undefined) return {};
  const known = caches.get(ai);
  if (known !== undefined) return { tokens: known };
  if (provider === "xai" || provider === "azure-voice-live") throw tokensUnsupported(provider);
  const mint =
    tokens.from === "service"
      ? () => fetchToken(environment, tokens, { provider, session: session() })
      : () => mintToken(environment, { ...mintRequest(ai, tokens.lifetimeMs), session: session() });
  const cache = new TokenCache(mint, environment.clock);
  caches.set(ai, cache);
  return { tokens: cache };
}

function mintRequest(
  { provider, url, apiKey }: AiOptions,
  lifetimeMs: number | undefined,
): Omit<MintRequest, "session"> {
  if (apiKey === undefined || apiKey === "") {
    throw new UsageError(
      "ERR_AI_KEY_MISSING",
      "Ephemeral tokens are minted with an API key, and there is none. Give one, or a tokens service.",
    );
  }
  return { provider, url, apiKey, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) };
}
