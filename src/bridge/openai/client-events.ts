import type { JsonObject } from "../provider/json-fields.ts";
import type { OpenAiSettings, OpenAiTurnDetection } from "./openai-options.ts";
import { formatJson } from "./wire-format.ts";

/** `session.update` with what the options ask for; the rest stays as the server has it. */
export function sessionUpdate(eventId: string, settings: OpenAiSettings): JsonObject {
  const { voice, instructions, transcription, turnDetection, tools } = settings;
  return {
    type: "session.update",
    event_id: eventId,
    session: {
      type: "realtime",
      output_modalities: ["audio"],
      ...(instructions === undefined ? {} : { instructions }),
      audio: {
        input: {
          format: formatJson(settings.input),
          ...(transcription === undefined ? {} : { transcription }),
          ...(turnDetection === undefined
            ? {}
            : { turn_detection: turnDetectionOf(turnDetection) }),
        },
        output: { format: formatJson(settings.output), ...(voice === undefined ? {} : { voice }) },
      },
      tools: tools.map((tool) => ({ type: "function", ...tool })),
      tool_choice: "auto",
    },
  };
}

/** `conversation.item.truncate`. The server takes whole milliseconds only. */
export function truncateItem(
  eventId: string,
  itemId: string,
  contentIndex: number,
  audioEndMs: number,
): JsonObject {
  return {
    type: "conversation.item.truncate",
    event_id: eventId,
    item_id: itemId,
    content_index: contentIndex,
    audio_end_ms: audioEndMs,
  };
}

/** `conversation.item.create` with the answer to a function call. */
export function functionCallOutput(eventId: string, callId: string, output: string): JsonObject {
  return {
    type: "conversation.item.create",
    event_id: eventId,
    item: { type: "function_call_output", call_id: callId, output },
  };
}

/** `response.create`, with instructions for this response only where given. */
export function responseCreate(eventId: string, instructions: string | undefined): JsonObject {
  return {
    type: "response.create",
    event_id: eventId,
    ...(instructions === undefined ? {} : { response: { instructions } }),
  };
}

/** `response.cancel`. */
export function responseCancel(eventId: string, responseId: string): JsonObject {
  return { type: "response.cancel", event_id: eventId, response_id: responseId };
}

function turnDetectionOf(detection: OpenAiTurnDetection): JsonObject {
  const common = {
    type: detection.type,
    create_response: detection.createResponse,
    interrupt_response: detection.interruptResponse,
  };
  // JSON leaves undefined fields out, so that the server's defaults stand.
  if (detection.type === "semantic_vad") return { ...common, eagerness: detection.eagerness };
  return {
    ...common,
    threshold: detection.threshold,
    prefix_padding_ms: detection.prefixPaddingMs,
    silence_duration_ms: detection.silenceDurationMs,
    idle_timeout_ms: detection.idleTimeoutMs,
  };
}
