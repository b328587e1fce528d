/** When a tester ends a call, whatever the conversation has come to. */
export interface TesterLimits {
  /** Turns of the tester itself. */
  readonly turns: number;
  /** From the answer on. */
  readonly durationMs: number;
  /** Of the tester's own AI; only where its price is known. */
  readonly costUsd?: number | undefined;
}

/** How long a tester puts up with silence. */
export interface Patience {
  /** Silence of both sides after which it asks whether anybody is there. */
  readonly silenceMs: number;
  /** How often it asks before it gives up. */
  readonly reprompts: number;
}

/**
 * A caller who is played by a model: who it is, what it wants, and how it behaves on the telephone.
 * Plain data: it crosses a thread's border.
 */
export interface Persona {
  readonly name: string;
  /** Who it is, in prose, for the model. */
  readonly persona: string;
  readonly goal: string;
  /** BCP 47, e.g. "en-GB". */
  readonly language: string;
  /** Who speaks first: the bot greets, or the tester begins. */
  readonly speaks: "first" | "second";
  readonly patience: Patience;
  /** Breaks in once the bot has spoken for so long without a pause, so many times. */
  readonly interrupts?: { readonly afterMs: number; readonly times: number } | undefined;
  /** Shows that it listens each time the bot has spoken for so long without a pause. */
  readonly backchannels?: { readonly everyMs: number } | undefined;
  /** False: it talks on when the bot talks over it. */
  readonly yields: boolean;
  /** The bot has finished when it pauses for so long. */
  readonly pauseMs: number;
  readonly limits: TesterLimits;
  /** The provider's name of a voice. */
  readonly voice?: string | undefined;
  /** A script (docs/embedded-server.md) that plays the persona where the embedded AI speaks. */
  readonly script?: string | undefined;
}

/** What may make a tester end a call beside the conversation. */
export type TesterLimit = keyof TesterLimits;
