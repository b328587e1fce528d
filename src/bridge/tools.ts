import type { FactSink } from "../timeline/index.ts";

/** A function that the model may call: name, purpose, and its arguments as JSON Schema. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Arguments as they were parsed: a JSON object. */
export type ToolArguments = Readonly<Record<string, unknown>>;

/** What a tool may use while it is carried out. */
export interface ToolContext {
  readonly toolCallId: string;
  /** Aborted where the call ends, the model takes the tool call back, or its time is over. */
  readonly signal: AbortSignal;
  readonly record: FactSink;
}

/** What is told to the model beside `"status": "ok"`; plain JSON. */
export type ToolAnswer = Readonly<Record<string, unknown>>;

/** A tool as the bridge carries it out. */
export interface Tool {
  readonly definition: ToolDefinition;
  /** What arguments must be like, where that is more, or less, than the model is told. */
  readonly accepts?: Readonly<Record<string, unknown>>;
  /**
   * It acts on the call itself: such tools run one after the other, each after all calls before
   * it, and are not broken off. Others run at once, beside each other.
   */
  readonly actsOnCall: boolean;
  /** It begins when what the bot has said is played; not at all where the caller interrupts that. */
  readonly waitsForSpeech: boolean;
  /** How long it may take; unlimited where not given. */
  readonly timeoutMs?: number;
  /** Whether the model is to go on speaking once it has succeeded. */
  readonly responds: boolean;
  /** Rejects where it failed; a `SidetoneError`'s code and message are told to the model. */
  run(args: ToolArguments, context: ToolContext): Promise<ToolAnswer>;
}
