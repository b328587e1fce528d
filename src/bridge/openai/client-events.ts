import type { JsonObject } from "../provider/json-fields.ts";

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
