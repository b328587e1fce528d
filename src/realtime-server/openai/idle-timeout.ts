import type { Conversation } from "./conversation.ts";
import type { Emit, Ids } from "./wire.ts";

/** What the provider writes into the conversation for the model to read. */
const NOTE =
  "No user speech was detected for a while. Say something short to bring the user back into the conversation.";

/**
 * Tells that nobody has spoken for as long as `idle_timeout_ms` allows, as recorded from the
 * provider: the event, then a note for the model. The silence is committed after it.
 * @returns the id of the item that the silence becomes.
 */
export function announceIdleTimeout(
  { ids, emit, conversation }: { ids: Ids; emit: Emit; conversation: Conversation },
  audio: { readonly startMs: number; readonly endMs: number },
): string {
  const itemId = ids.next("item");
  emit({
    type: "input_audio_buffer.timeout_triggered",
    audio_start_ms: Math.max(0, Math.round(audio.startMs)),
    audio_end_ms: Math.round(audio.endMs),
    item_id: itemId,
  });
  const previous = conversation.lastId;
  const item = {
    id: ids.next("item"),
    type: "message",
    status: "completed",
    role: "system",
    content: [{ type: "input_text", text: NOTE }],
  };
  conversation.add({ view: item });
  emit({ type: "conversation.item.added", previous_item_id: previous, item });
  emit({ type: "conversation.item.done", previous_item_id: previous, item });
  return itemId;
}
