import {
  type AiSession,
  type GeminiActivityDetection,
  geminiSession,
  type OpenAiOptions,
  openAiSession,
  openAiTokenSession,
  type ToolDefinition,
} from "../bridge/index.ts";
import { type Environment, UsageError } from "../environment/index.ts";
import type { AiOptions, TurnDetection } from "./agent-options.ts";
import { tokensOf } from "./ai-tokens.ts";

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
  return ai.provider === "gemini"
    ? gemini(environment, ai, tools)
    : openAi(environment, ai, ai.provider, tools);
}

function gemini(
  environment: Environment,
  ai: AiOptions,
  tools: readonly ToolDefinition[],
): AiSession {
  requireLinear(ai.audioFormat);
  const { reconnectAttemptsMax: attempts, turnDetection } = ai;
  return geminiSession(environment, {
    ...commonOptions(ai),
    tools,
    ...tokensOf(environment, ai, () => ({})),
    ...(attempts === undefined ? {} : { resumeAttemptsMax: attempts }),
    ...(ai.language === undefined ? {} : { language: ai.language }),
    ...(turnDetection === undefined
      ? {}
      : { activityDetection: activityDetectionOf(turnDetection) }),
  });
}

function openAi(
  environment: Environment,
  ai: AiOptions,
  dialect: NonNullable<OpenAiOptions["dialect"]>,
  tools: readonly ToolDefinition[],
): AiSession {
  const { reconnectAttemptsMax, turnDetection, audioFormat } = ai;
  const options: OpenAiOptions = {
    ...commonOptions(ai),
    tools,
    dialect,
    ...(reconnectAttemptsMax === undefined ? {} : { reconnectAttemptsMax }),
    ...(turnDetection === undefined ? {} : { turnDetection }),
    ...(ai.transcribes === true ? { transcription: transcriptionOf(ai) } : {}),
    ...(audioFormat === undefined ? {} : { inputFormat: audioFormat, outputFormat: audioFormat }),
  };
  return openAiSession(environment, {
    ...options,
    ...tokensOf(environment, ai, () => openAiTokenSession(options)),
  });
}

/** What both protocols have in common. */
function commonOptions(
  ai: AiOptions,
): Pick<
  AiOptions,
  | "url"
  | "model"
  | "apiKey"
  | "voice"
  | "instructions"
  | "connectTimeoutMs"
  | "stallTimeoutMs"
  | "appendMs"
> {
  return {
    url: ai.url,
    model: ai.model,
    ...(ai.apiKey === undefined ? {} : { apiKey: ai.apiKey }),
    ...(ai.voice === undefined ? {} : { voice: ai.voice }),
    ...(ai.instructions === undefined ? {} : { instructions: ai.instructions }),
    ...(ai.connectTimeoutMs === undefined ? {} : { connectTimeoutMs: ai.connectTimeoutMs }),
    ...(ai.stallTimeoutMs === undefined ? {} : { stallTimeoutMs: ai.stallTimeoutMs }),
    ...(ai.appendMs === undefined ? {} : { appendMs: ai.appendMs }),
  };
}

const TRANSCRIPTION_MODEL = "gpt-4o-transcribe";

/** OpenAI's transcription takes a language without its region (ISO 639-1). */
function transcriptionOf({ language }: AiOptions): { model: string; language?: string } {
  const [primary] = language?.split("-") ?? [];
  const model = TRANSCRIPTION_MODEL;
  return primary?.length === 2 ? { model, language: primary } : { model };
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
