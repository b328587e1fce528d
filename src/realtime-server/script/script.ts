import type { VoiceName } from "../../audio/index.ts";

/** An inclusive range; both ends equal where the script gave one number. */
export type Range = readonly [min: number, max: number];

/** How the bot's audio leaves: in pieces, faster than it is spoken. */
export interface Pacing {
  /** Audio in the first piece, in ms of speech. */
  readonly firstDeltaMs: Range;
  /** Audio in each further piece, in ms of speech. */
  readonly deltaMs: Range;
  /** Times real time. */
  readonly speedFactor: Range;
}

/** A function that the bot calls. A text "$name" among its arguments stands for what is known. */
export interface ScriptTool {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Sent in place of `arguments`, as it stands: a model's mistake. */
  readonly rawArguments?: string | undefined;
}

/** What a conversation may remember under a name. */
export type StateValue = string | number | boolean;

/** What must hold of one thing that is known; of several demands, all. */
export type Condition =
  | StateValue
  | {
      readonly not?: StateValue | undefined;
      readonly atLeast?: number | undefined;
      readonly atMost?: number | undefined;
      readonly oneOf?: readonly StateValue[] | undefined;
    };

/** What the bot does, and under which conditions; the first of a list whose conditions hold. */
export interface ScriptReaction {
  /** By the name of what is known: of the state, `turns`, or `result.…` of the last function. */
  readonly when?: Readonly<Record<string, Condition>> | undefined;
  readonly says?: string | undefined;
  readonly tool?: ScriptTool | undefined;
  /** Several at once, in one response. */
  readonly tools?: readonly ScriptTool[] | undefined;
  /** Neither words nor deeds, on purpose. */
  readonly silent?: boolean | undefined;
  readonly order: "speech-then-tool" | "tool-then-speech";
  /** Overrides every other answer delay for this turn. */
  readonly afterMs?: number | undefined;
  /** What follows once the client has given the tool's output and asks for a response. */
  readonly then?: readonly ScriptReaction[] | undefined;
  /** Remembers values; a text "$name" stands for what is known under that name. */
  readonly set?: Readonly<Record<string, StateValue>> | undefined;
  /** Counts: what is not there yet counts from 0. */
  readonly add?: Readonly<Record<string, number>> | undefined;
}

/** What the bot does when it hears one of some phrases. */
export interface ScriptTurn extends ScriptReaction {
  readonly hears: readonly string[];
}

/** What the bot does without having heard anything: because of silence, or because it is told to. */
export type CueName = "silence" | "interrupt" | "backchannel";

/** What the embedded AI says to what. Plain data: it may be posted to another thread. */
export interface Script {
  readonly name: string;
  readonly fileName: string;
  /** Whose recordings the AI speaks with; it listens to the other one. */
  readonly voice: VoiceName;
  /** What is known when a conversation begins. */
  readonly state: Readonly<Record<string, StateValue>>;
  readonly greeting?: readonly ScriptReaction[] | undefined;
  readonly turns: readonly ScriptTurn[];
  readonly otherwise: readonly ScriptReaction[];
  readonly interrupted?: readonly ScriptReaction[] | undefined;
  readonly cues: { readonly [Cue in CueName]?: readonly ScriptReaction[] | undefined };
  /** Silence of both sides after which the bot follows its cue `silence` of its own accord. */
  readonly silenceMs?: number | undefined;
  readonly answerDelayMs: number;
  readonly pacing: Pacing;
  readonly semanticVad: { readonly minSpeechMs: number };
  /** Line (from 1) of each value in the file, by its path: `turns.0.says`. */
  readonly lines: Readonly<Record<string, number>>;
}
