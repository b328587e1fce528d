import type { JsonObject } from "../provider/json-fields.ts";

/** Lines that a new session is told; what lies further back hardly matters to a telephone call. */
const LINES_MAX = 50;

/**
 * What was said so far, as the transcripts tell: a session that is lost is followed by one that has
 * forgotten everything, and is told this first.
 */
export class History {
  readonly #lines: { readonly role: "user" | "assistant"; readonly text: string }[] = [];

  get length(): number {
    return this.#lines.length;
  }

  add(role: "user" | "assistant", text: string): void {
    if (text.trim() === "") return;
    this.#lines.push({ role, text });
    if (this.#lines.length > LINES_MAX) this.#lines.shift();
  }

  /**
   * `conversation.item.create` for each line, in order.
   * @param assistantText the dialect's name for written content of the model's.
   */
  messages(eventId: () => string, assistantText: string): readonly JsonObject[] {
    return this.#lines.map(({ role, text }) => ({
      type: "conversation.item.create",
      event_id: eventId(),
      item: {
        type: "message",
        role,
        content: [{ type: role === "user" ? "input_text" : assistantText, text }],
      },
    }));
  }
}
