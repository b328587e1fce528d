import {
  type AiSession,
  type GeminiActivityDetection,
  geminiSession,
  openAiSession,
  type ToolDefinition,
} from "../bridge/index.ts";
import { type Environment, UsageError } from "../environment/index.ts";
import type { AiOptions, TurnDetection } from "./agent-options.ts";

/**
 * Opens the session that the options ask for, whoever provides it.
 * @throws UsageError as `openAiSession` and `geminiSession`; ERR_UNSUPPORTED_AUDIO_FORMAT.
 */
export function aiSessionOf(
  environment: Environment,
  ai: AiOptions,
  tools: readonly ToolDefinition[],
): AiSession {
  const common = {
    url: ai.url,
    apiKey: ai.apiKey,
    model: ai.model,
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
      ...(ai.turnDetection === undefined
        ? {}
        : { activityDetection: activityDetectionOf(ai.turnDetection) }),
    });
  }
  return openAiSession(environment, {
    ...common,
    dialect: ai.provider,
    ...(ai.turnDetection === undefined ? {} : { turnDetection: ai.turnDetection }),
    ...(ai.audioFormat === undefined
      ? {}
      : { inputFormat: ai.audioFormat, outputFormat: ai.audioFormat }),
  });
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
