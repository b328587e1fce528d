import { asObject, type JsonObject, parseObject, textField } from "../provider/json-fields.ts";
import type { ToolDefinition } from "../tools.ts";
import type { GeminiActivityDetection, GeminiSettings } from "./gemini-options.ts";

/** The first message of every connection. `handle`: that of the session to go on with. */
export function setupMessage(settings: GeminiSettings, handle: string | undefined): JsonObject {
  const { voice, language, instructions, tools, transcribes } = settings;
  return {
    setup: {
      model: settings.model,
      generationConfig: {
        responseModalities: ["AUDIO"],
        speechConfig: {
          // JSON leaves undefined fields out, so that the server's defaults stand.
          voiceConfig:
            voice === undefined ? undefined : { prebuiltVoiceConfig: { voiceName: voice } },
          languageCode: language,
        },
      },
      systemInstruction:
        instructions === undefined ? undefined : { parts: [{ text: instructions }] },
      tools: tools.length === 0 ? undefined : [{ functionDeclarations: tools.map(declaration) }],
      realtimeInputConfig: realtimeInput(settings.activityDetection),
      inputAudioTranscription: transcribes ? {} : undefined,
      outputAudioTranscription: transcribes ? {} : undefined,
      // Without it the server gives no handle, and a lost connection would end the session.
      sessionResumption: { handle },
    },
  };
}

/** A turn of the user's that is written, not spoken, and complete. */
export function textTurn(text: string): JsonObject {
  return { clientContent: { turns: [{ role: "user", parts: [{ text }] }], turnComplete: true } };
}

/** The answer to a function call: an object, where our result is one. */
export function toolResponse(id: string, name: string, result: string): JsonObject {
  const value = parseObject(result);
  const isError = textField(value, "status") === "error";
  const response = isError
    ? { error: textField(value, "message") ?? result }
    : { output: asObject(value) ?? result };
  return { toolResponse: { functionResponses: [{ id, name, response }] } };
}

function declaration({ name, description, parameters }: ToolDefinition): JsonObject {
  return { name, description, parametersJsonSchema: parameters };
}

function realtimeInput(detection: GeminiActivityDetection): JsonObject {
  const { startSensitivity, endSensitivity, prefixPaddingMs, silenceDurationMs } = detection;
  return {
    automaticActivityDetection: {
      startOfSpeechSensitivity: sensitivity("START", startSensitivity),
      endOfSpeechSensitivity: sensitivity("END", endSensitivity),
      prefixPaddingMs,
      silenceDurationMs,
    },
    activityHandling:
      detection.interruptsResponse === false ? "NO_INTERRUPTION" : "START_OF_ACTIVITY_INTERRUPTS",
  };
}

function sensitivity(edge: "START" | "END", level: "low" | "high" | undefined): string | undefined {
  return level === undefined ? undefined : `${edge}_SENSITIVITY_${level.toUpperCase()}`;
}
