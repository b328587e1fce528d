import {
  type AiSession,
  fetchToken,
  type GeminiActivityDetection,
  geminiSession,
  type MintRequest,
  mintToken,
  type OpenAiOptions,
  openAiSession,
  openAiTokenSession,
  TokenCache,
  type ToolDefinition,
  tokensUnsupported,
} from "../bridge/index.ts";
import { type Environment, UsageError } from "../environment/index.ts";
import type { AiOptions, TurnDetection } from "./agent-options.ts";

/**
 * Opens the session that the options ask for, whoever provides it.
 * @throws UsageError as `openAiSession` and `geminiSession`; ERR_UNSUPPORTED_AUDIO_FORMAT,
 *   ERR_TOKENS_UNSUPPORTED.
 */
export function aiSessionOf(
  environment: Environment,
  ai: AiOptions,
  tools: readonly ToolDefinition[],
): AiSession {
  const common = {
    url: ai.url,
    model: ai.model,
    ...(ai.apiKey === undefined ? {} : { apiKey: ai.apiKey }),
    ...(ai.voice === undefined ? {} : { voice: ai.voice }),
    ...(ai.instructions === undefined ? {} : { instructions: ai.instructions }),
    ...(ai.connectTimeoutMs === undefined ? {} : { connectTimeoutMs: ai.connectTimeoutMs }),
    ...(ai.stallTimeoutMs === undefined ? {} : { stallTimeoutMs: ai.stallTimeoutMs }),
    ...(ai.appendMs === undefined ? {} : { appendMs: ai.appendMs }),
    tools,
  };
  if (ai.provider === "gemini") {
    requireLinear(ai.audioFormat);
    return geminiSession(environment, {
      ...common,
      ...tokensOf(environment, ai, () => ({})),
      ...(ai.turnDetection === undefined
        ? {}
        : { activityDetection: activityDetectionOf(ai.turnDetection) }),
    });
  }
  const options: OpenAiOptions = {
    ...common,
    dialect: ai.provider,
    ...(ai.turnDetection === undefined ? {} : { turnDetection: ai.turnDetection }),
    ...(ai.audioFormat === undefined
      ? {}
      : { inputFormat: ai.audioFormat, outputFormat: ai.audioFormat }),
  };
  return openAiSession(environment, {
    ...options,
    ...tokensOf(environment, ai, () => openAiTokenSession(options)),
  });
}

/** One for each agent, so that its calls share what may be shared. */
const caches = new WeakMap<AiOptions, TokenCache>();

function tokensOf(
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

function requireLinear(format: AiOptions["audioFormat"]): void {
  if (format === undefined || format === "pcm") return;
  throw new UsageError(
    "ERR_UNSUPPORTED_AUDIO_FORMAT",
    `Gemini takes no "${format}": only linear audio. Leave the audio format out.`,
    { context: { format } },
  );
}

/**
 * Gemini has one way to detect turns; an eager one ends them sooner. What OpenAI calls semantic is
 * nearest to low sensitivity: the caller's "mm-hmm" shall not be taken for a turn.
 */
function activityDetectionOf(detection: TurnDetection): GeminiActivityDetection {
  const common =
    detection.interruptResponse === undefined
      ? {}
      : { interruptsResponse: detection.interruptResponse };
  if (detection.type === "semantic_vad") {
    const { eagerness } = detection;
    const start = { ...common, startSensitivity: "low" } as const;
    return eagerness === "low" || eagerness === "high"
      ? { ...start, endSensitivity: eagerness }
      : start;
  }
  const { prefixPaddingMs, silenceDurationMs } = detection;
  return {
    ...common,
    ...(prefixPaddingMs === undefined ? {} : { prefixPaddingMs }),
    ...(silenceDurationMs === undefined ? {} : { silenceDurationMs }),
  };
}
