import type { ItemAudio, ItemView, StoredItem } from "./conversation.ts";
import type { ResponseContext } from "./response-context.ts";
import type { ResponseSettings } from "./session-config.ts";

/** Where in which response an output stands. */
export interface OutputPlace {
  readonly responseId: string;
  readonly outputIndex: number;
  readonly settings: ResponseSettings;
}

/** What every output of a response has in common: an item that is added, and later done. */
export class OutputItem {
  readonly #context: ResponseContext;
  readonly #place: OutputPlace;
  readonly #stored: StoredItem;
  #state: "waiting" | "begun" | "ended" = "waiting";

  constructor(context: ResponseContext, place: OutputPlace, item: Omit<ItemView, "id">) {
    this.#context = context;
    this.#place = place;
    this.#stored = { view: { id: context.ids.next("item"), ...item } as ItemView };
  }

  get view(): ItemView {
    return this.#stored.view;
  }

  get hasBegun(): boolean {
    return this.#state !== "waiting";
  }

  get isOpen(): boolean {
    return this.#state === "begun";
  }

  /** The ids that every event about this item carries. */
  get ids(): Readonly<Record<string, unknown>> {
    const { responseId, outputIndex } = this.#place;
    return { response_id: responseId, item_id: this.view.id, output_index: outputIndex };
  }

  /** Announces the item, and adds it to the conversation. */
  begin(audio?: ItemAudio): void {
    this.#state = "begun";
    this.#stored.audio = audio;
    this.#emitOutput("response.output_item.added");
    if (!this.#place.settings.isInConversation) return;
    const { conversation, emit } = this.#context;
    const previous = conversation.lastId;
    conversation.add(this.#stored);
    emit({ type: "conversation.item.added", previous_item_id: previous, item: this.view });
  }

  /** Tells the item's final state. */
  end(changes: Readonly<Record<string, unknown>>): void {
    this.#state = "ended";
    this.#stored.view = { ...this.view, ...changes };
    const { conversation, emit } = this.#context;
    if (this.#place.settings.isInConversation) {
      const previous = conversation.idBefore(this.view.id);
      emit({ type: "conversation.item.done", previous_item_id: previous, item: this.view });
    }
    this.#emitOutput("response.output_item.done");
  }

  #emitOutput(type: string): void {
    const { responseId, outputIndex } = this.#place;
    const place = { response_id: responseId, output_index: outputIndex };
    this.#context.emit({ type, ...place, item: this.view });
  }
}
