import type { ClientItem } from "./client-events.ts";
import type { AudioFormat } from "./session-schema.ts";
import { type ProtocolError, protocolError } from "./wire.ts";

/** An item as the wire shows it. */
export interface ItemView {
  readonly id: string;
  readonly type: string;
  readonly status?: string;
  readonly [field: string]: unknown;
}

/** The audio of an item, for `conversation.item.retrieve` and `truncate`. */
export interface ItemAudio {
  readonly bytes: Uint8Array;
  readonly format: AudioFormat;
  /** How much of it the client has got, in ms; a truncation cannot go beyond. */
  sentMs: number;
}

/** One entry of a conversation. */
export interface StoredItem {
  view: ItemView;
  audio?: ItemAudio | undefined;
}

/** The user's audio is kept for this many turns, to be retrieved. */
const USER_AUDIO_KEPT = 3;

/** The items of one connection, in their order. */
export class Conversation {
  readonly id: string;
  readonly #items: StoredItem[] = [];

  constructor(id: string) {
    this.id = id;
  }

  /** Id of the last item; `null` where there is none, as on the wire. */
  get lastId(): string | null {
    return this.#items.at(-1)?.view.id ?? null;
  }

  get hasItems(): boolean {
    return this.#items.length > 0;
  }

  find(itemId: string): StoredItem | undefined {
    return this.#items.find(({ view }) => view.id === itemId);
  }

  /** The function call that an output answers. */
  findCall(callId: string): StoredItem | undefined {
    return this.#items.find(({ view }) => {
      return view.type === "function_call" && view["call_id"] === callId;
    });
  }

  /** Id of the item before this one; `null` for the first. */
  idBefore(itemId: string): string | null {
    const index = this.#items.findIndex(({ view }) => view.id === itemId);
    return this.#items[index - 1]?.view.id ?? null;
  }

  /** Adds an item: at the end, or after the one named; "root" is the very front. */
  add(item: StoredItem, previousItemId?: string | null): ProtocolError | undefined {
    const { id } = item.view;
    if (this.find(id) !== undefined) {
      const message = `Error adding item: an item with ID '${id}' already exists.`;
      return protocolError("item_create_duplicate_item_id", message, "item.id");
    }
    const after = previousItemId ?? this.lastId ?? "root";
    const index = this.#items.findIndex(({ view }) => view.id === after);
    if (index < 0 && after !== "root") {
      const message = `Error adding item: the previous item with ID '${after}' does not exist.`;
      return protocolError("item_create_invalid_previous_item_id", message, "previous_item_id");
    }
    this.#items.splice(index + 1, 0, item);
    this.#forgetOldAudio();
    return undefined;
  }

  delete(itemId: string): boolean {
    const index = this.#items.findIndex(({ view }) => view.id === itemId);
    if (index < 0) return false;
    this.#items.splice(index, 1);
    return true;
  }

  /** Cuts an assistant's audio to what was played, and takes its words away. */
  truncate(itemId: string, audioEndMs: number): ProtocolError | undefined {
    const item = this.find(itemId);
    if (item === undefined) return noSuchItem("truncate", itemId);
    const { audio, view } = item;
    if (audio === undefined || view["role"] !== "assistant") {
      const message = "Only model output audio messages can be truncated.";
      return protocolError("invalid_value", message, "item_id");
    }
    if (audioEndMs > audio.sentMs) {
      const sentMs = Math.floor(audio.sentMs);
      const message = `Audio content of ${sentMs}ms is already shorter than ${audioEndMs}ms`;
      return protocolError("invalid_value", message, "audio_end_ms");
    }
    audio.sentMs = audioEndMs;
    item.view = { ...view, content: [{ type: "output_audio" }] };
    return undefined;
  }

  #forgetOldAudio(): void {
    const heard = this.#items.filter(({ view, audio }) => {
      return audio !== undefined && view["role"] === "user";
    });
    for (const item of heard.slice(0, -USER_AUDIO_KEPT)) item.audio = undefined;
  }
}

/** The error for an id that names nothing. */
export function noSuchItem(
  action: "truncate" | "delete" | "retrieve",
  itemId: string,
): ProtocolError {
  const message = `Error handling item ${action}: the item with ID '${itemId}' does not exist.`;
  return protocolError(`item_${action}_invalid_item_id`, message, "item_id");
}

/** An item of the client as the wire shows it: with an id, without audio. */
export function viewOf(item: ClientItem, id: string): ItemView {
  if (item.type === "function_call_output") {
    return { id, type: item.type, call_id: item.call_id, output: item.output };
  }
  const { object: _object, ...rest } = item;
  const status = item.status ?? "completed";
  if (item.type === "function_call") return { ...rest, id, status };
  const content = item.content.map((part) => {
    if (part.type !== "input_audio") return part;
    return { type: part.type, transcript: part.transcript ?? null };
  });
  return { ...rest, id, status, content };
}
