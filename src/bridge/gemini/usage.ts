import type { AiUsageEvent } from "../ai-session.ts";
import { type JsonObject, numberField, objectsField, textField } from "../provider/json-fields.ts";

/**
 * A `usageMetadata`, which counts one turn.
 *
 * The modalities do not add up to the totals; the rest is counted as text. Thoughts are output that
 * neither `responseTokenCount` nor `totalTokenCount` holds.
 */
export function usageEvent(responseId: string, usage: JsonObject): AiUsageEvent {
  const prompt = count(usage, "promptTokenCount");
  const inputTokens = prompt + count(usage, "toolUsePromptTokenCount");
  const response = count(usage, "responseTokenCount") || count(usage, "candidatesTokenCount");
  const outputTokens = response + count(usage, "thoughtsTokenCount");
  const audioIn = Math.min(inputTokens, audioOf(usage, "promptTokensDetails"));
  const audioOut = Math.min(outputTokens, audioOf(usage, "responseTokensDetails"));
  const cachedAudio = Math.min(audioIn, audioOf(usage, "cacheTokensDetails"));
  const cachedText = Math.max(
    0,
    Math.min(inputTokens - audioIn, count(usage, "cachedContentTokenCount") - cachedAudio),
  );
  const hasDetails = usage["promptTokensDetails"] !== undefined;
  return {
    type: "usage",
    responseId,
    totalTokens: Math.max(count(usage, "totalTokenCount"), inputTokens + outputTokens),
    inputTokens,
    outputTokens,
    ...(hasDetails
      ? {
          details: {
            inputText: inputTokens - audioIn - cachedText,
            inputAudio: audioIn - cachedAudio,
            cachedText,
            cachedAudio,
            outputText: outputTokens - audioOut,
            outputAudio: audioOut,
          },
        }
      : {}),
  };
}

function audioOf(usage: JsonObject, list: string): number {
  return objectsField(usage, list)
    .filter((each) => textField(each, "modality") === "AUDIO")
    .reduce((sum, each) => sum + count(each, "tokenCount"), 0);
}

function count(object: JsonObject, name: string): number {
  return Math.max(0, numberField(object, name) ?? 0);
}
