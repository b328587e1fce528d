import type { AiToolCallEvent } from "../ai-session.ts";
import { asObject, type JsonObject, textField } from "../provider/json-fields.ts";

/** Call ids remembered, so that none is carried out twice. */
const SEEN_MAX = 256;

/**
 * Finds the function calls that are complete, each once.
 *
 * `response.output_item.done` with status `completed` decides. `function_call_arguments.done` also
 * comes when a response is cancelled half-way, so that it only counts once the response has
 * completed without any item event, as some clones do.
 */
export class FunctionCalls {
  readonly #seen = new Set<string>();
  readonly #pending = new Map<string, AiToolCallEvent>();

  /** `item`: of a `response.output_item.done`, or of the output of a `response.done`. */
  handleItem(responseId: string, item: JsonObject): AiToolCallEvent | undefined {
    if (textField(item, "type") !== "function_call") return undefined;
    const call = functionCall(responseId, item);
    if (call === undefined || textField(item, "status") !== "completed") return undefined;
    return this.#once(call);
  }

  /** The arguments of a call are complete, which alone does not make it valid. */
  handleArguments(responseId: string, event: JsonObject): void {
    const call = functionCall(responseId, event);
    if (call !== undefined && this.#pending.size < SEEN_MAX) this.#pending.set(call.id, call);
  }

  /** The response is done: what was pending is valid or void. */
  handleResponseDone(responseId: string, isCompleted: boolean): readonly AiToolCallEvent[] {
    const calls: AiToolCallEvent[] = [];
    for (const call of this.#pending.values()) {
      if (call.responseId !== responseId) continue;
      this.#pending.delete(call.id);
      const fresh = isCompleted ? this.#once(call) : undefined;
      if (fresh !== undefined) calls.push(fresh);
    }
    return calls;
  }

  #once(call: AiToolCallEvent): AiToolCallEvent | undefined {
    this.#pending.delete(call.id);
    if (this.#seen.has(call.id)) return undefined;
    this.#seen.add(call.id);
    if (this.#seen.size > SEEN_MAX) {
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest);
        break;
      }
    }
    return call;
  }
}

function functionCall(responseId: string, source: JsonObject): AiToolCallEvent | undefined {
  const id = textField(source, "call_id");
  const name = textField(source, "name");
  if (id === undefined || name === undefined) return undefined;
  return { type: "toolCall", id, name, responseId, ...parseArguments(source) };
}

function parseArguments(source: JsonObject): Pick<AiToolCallEvent, "args" | "argsError"> {
  const text = textField(source, "arguments") ?? "";
  if (text.trim() === "") return { args: {} };
  try {
    const args = asObject(JSON.parse(text));
    if (args !== undefined) return { args };
  } catch {
    return { args: {}, argsError: "The arguments are not JSON." };
  }
  return { args: {}, argsError: "The arguments are not a JSON object." };
}
