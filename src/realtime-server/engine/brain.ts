import type { Condition, StateValue } from "../script/script.ts";
import { NO_REPLY, type Reaction, type Reply, type ReplyPart } from "./repertoire.ts";

/** Larger results of functions are not looked into. */
const RESULT_CHARACTERS_MAX = 65_536;
const REFERENCE = /^\$([A-Za-z][\w.-]*)$/u;

/**
 * What one conversation knows: the script's state, how many turns the other side has taken
 * (`turns`), and what the last function returned (`result`). It chooses among reactions by that.
 */
export class Brain {
  readonly #state: Map<string, StateValue>;
  #turns = 0;
  #result: unknown;

  constructor(state: Readonly<Record<string, StateValue>>) {
    this.#state = new Map(Object.entries(state));
  }

  /** The other side has taken a turn. */
  noteTurn(): void {
    this.#turns += 1;
  }

  /** A function has returned this: JSON, or a text that stands for itself. */
  noteResult(result: unknown): void {
    this.#result = typeof result === "string" ? parsed(result) : result;
  }

  /**
   * The first reaction whose conditions hold, as a reply; what it remembers and counts is so from
   * now on. Nothing at all where none holds.
   */
  react(reactions: readonly Reaction[]): Reply {
    const chosen = reactions.find(({ when }) => this.#holds(when));
    if (chosen === undefined) return NO_REPLY;
    const { set, add, reply } = chosen;
    // Arguments tell what was known before the reaction changed it; so do values that are set.
    const parts = reply.parts.map((part) => this.#filledIn(part));
    const values = Object.entries(set).map(
      ([name, value]) => [name, this.#resolve(value)] as const,
    );
    for (const [name, value] of values) {
      if (isStateValue(value)) this.#state.set(name, value);
      else this.#state.delete(name);
    }
    for (const [name, amount] of Object.entries(add)) {
      const before = this.#state.get(name);
      this.#state.set(name, (typeof before === "number" ? before : 0) + amount);
    }
    return { ...reply, parts };
  }

  #holds(when: Reaction["when"]): boolean {
    return Object.entries(when).every(([name, condition]) => meets(this.#known(name), condition));
  }

  #known(name: string): unknown {
    if (name === "turns") return this.#turns;
    const [first, ...path] = name.split(".");
    if (first !== "result") return this.#state.get(name);
    return path.reduce<unknown>((value, key) => fieldOf(value, key), this.#result);
  }

  #filledIn(part: ReplyPart): ReplyPart {
    if (part.kind !== "tool") return part;
    const { arguments: given, ...rest } = part.tool;
    const filled = Object.entries(given).map(([key, value]) => [key, this.#resolve(value)]);
    return { ...part, tool: { ...rest, arguments: Object.fromEntries(filled) } };
  }

  #resolve(value: unknown): unknown {
    const name = typeof value === "string" ? REFERENCE.exec(value)?.[1] : undefined;
    return name === undefined ? value : this.#known(name);
  }
}

function meets(value: unknown, condition: Condition): boolean {
  if (typeof condition !== "object") return value === condition;
  const { not, atLeast, atMost, oneOf } = condition;
  // What was never counted counts 0.
  const amount = value === undefined ? 0 : value;
  return (
    (not === undefined || value !== not) &&
    (atLeast === undefined || (typeof amount === "number" && amount >= atLeast)) &&
    (atMost === undefined || (typeof amount === "number" && amount <= atMost)) &&
    (oneOf === undefined || oneOf.some((each) => each === value))
  );
}

function fieldOf(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}

function parsed(text: string): unknown {
  if (text.length > RESULT_CHARACTERS_MAX) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function isStateValue(value: unknown): value is StateValue {
  return ["string", "number", "boolean"].includes(typeof value);
}
