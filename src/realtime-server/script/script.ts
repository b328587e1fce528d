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

/** A function that the bot calls. */
export interface ScriptTool {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
}

/** What the bot does when it hears one of some phrases. */
export interface ScriptTurn {
  readonly hears: readonly string[];
  readonly says?: string | undefined;
  readonly tool?: ScriptTool | undefined;
  readonly order: "speech-then-tool" | "tool-then-speech";
  /** Overrides every other answer delay for this turn. */
  readonly afterMs?: number | undefined;
  /** What follows once the client has given the tool's output and asks for a response. */
  readonly then?: { readonly says: string } | undefined;
}

/** What the embedded AI says to what. Plain data: it may be posted to another thread. */
export interface Script {
  readonly name: string;
  readonly fileName: string;
  /** Whose recordings the AI speaks with; it listens to the other one. */
  readonly voice: VoiceName;
  readonly greeting?: string | undefined;
  readonly turns: readonly ScriptTurn[];
  readonly otherwise: string;
  readonly interrupted?: string | undefined;
  readonly answerDelayMs: number;
  readonly pacing: Pacing;
  readonly semanticVad: { readonly minSpeechMs: number };
  /** Line (from 1) of each value in the file, by its path: `turns.0.says`. */
  readonly lines: Readonly<Record<string, number>>;
}
