import type { ReplyPart } from "../engine/repertoire.ts";
import type { ItemView } from "./conversation.ts";
import { OutputItem, type OutputPlace } from "./output-item.ts";
import type { ResponseContext } from "./response-context.ts";

type ToolPart = Extract<ReplyPart, { kind: "tool" }>;

/** A function call of the bot. */
export class FunctionCallOutput {
  readonly sentMs = 0;
  readonly #context: ResponseContext;
  readonly #item: OutputItem;
  readonly #part: ToolPart;
  readonly #callId: string;
  readonly #arguments: string;
  #sentText = "";

  constructor(context: ResponseContext, place: OutputPlace, part: ToolPart) {
    this.#context = context;
    this.#part = part;
    this.#callId = context.ids.next("call");
    // Spread over lines, as the provider sends it: clients must not expect compact JSON.
    this.#arguments = part.tool.rawArguments ?? JSON.stringify(part.tool.arguments, undefined, 2);
    this.#item = new OutputItem(context, place, {
      type: "function_call",
      status: "in_progress",
      name: part.tool.name,
      call_id: this.#callId,
      arguments: "",
    });
  }

  get hasBegun(): boolean {
    return this.#item.hasBegun;
  }

  get view(): ItemView {
    return this.#item.view;
  }

  get sentText(): string {
    return this.#sentText;
  }

  /** Announces the call and sends the first of its arguments. */
  begin(): void {
    this.#item.begin();
    this.#sendArguments(this.#arguments.slice(0, Math.ceil(this.#arguments.length / 2)));
  }

  /** Sends the rest; from now on the client may carry it out. */
  end(): void {
    if (!this.#item.isOpen) return;
    this.#sendArguments(this.#arguments.slice(this.#sentText.length));
    const { name } = this.#part.tool;
    this.#context.emit({
      type: "response.function_call_arguments.done",
      ...this.#item.ids,
      call_id: this.#callId,
      name,
      arguments: this.#arguments,
    });
    this.#context.expectOutput(this.#callId, this.#part.followUp);
    this.#context.tellTruth({ type: "toolCalled", name, callId: this.#callId });
    this.#item.end({ status: "completed", arguments: this.#arguments });
  }

  #sendArguments(delta: string): void {
    if (delta === "") return;
    this.#sentText += delta;
    const obfuscation = this.#context.ids.obfuscation(delta);
    this.#context.emit({
      type: "response.function_call_arguments.delta",
      ...this.#item.ids,
      call_id: this.#callId,
      delta,
      obfuscation,
    });
  }
}
