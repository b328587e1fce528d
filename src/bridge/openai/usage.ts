import type { AiUsageEvent } from "../ai-session.ts";
import { type JsonObject, numberField, objectField } from "../provider/json-fields.ts";
import type { TokenDetails } from "../usage.ts";

/** A response's `usage` (§1.5); xAI has it beside the response. */
export function usageEvent(responseId: string, usage: JsonObject): AiUsageEvent {
  const inputTokens = count(usage, "input_tokens");
  const outputTokens = count(usage, "output_tokens");
  return {
    type: "usage",
    responseId,
    totalTokens: count(usage, "total_tokens"),
    inputTokens,
    outputTokens,
    ...details(usage, inputTokens, outputTokens),
  };
}

/** What is neither said to be audio nor text (images, reasoning) is counted as text. */
function details(
  usage: JsonObject,
  inputTokens: number,
  outputTokens: number,
): { readonly details?: TokenDetails } {
  const input = objectField(usage, "input_token_details");
  const output = objectField(usage, "output_token_details");
  if (input === undefined || output === undefined) return {};
  const cached = objectField(input, "cached_tokens_details");
  const audio = Math.min(inputTokens, count(input, "audio_tokens"));
  const cachedAudio = Math.min(audio, count(cached, "audio_tokens"));
  const cachedText = Math.max(
    0,
    Math.min(inputTokens - audio, count(input, "cached_tokens") - cachedAudio),
  );
  const outputAudio = Math.min(outputTokens, count(output, "audio_tokens"));
  return {
    details: {
      inputText: inputTokens - audio - cachedText,
      inputAudio: audio - cachedAudio,
      cachedText,
      cachedAudio,
      outputText: outputTokens - outputAudio,
      outputAudio,
    },
  };
}

function count(object: JsonObject | undefined, name: string): number {
  return Math.max(0, numberField(object, name) ?? 0);
}
