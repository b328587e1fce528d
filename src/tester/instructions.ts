import type { Persona } from "./persona.ts";

/** What a tester is told to do without having heard anything. */
export type TesterCue = "silence" | "interrupt" | "backchannel";

/**
 * Stage directions. Any model reads the sentence; a script of the embedded AI reads the cue in
 * brackets (docs/embedded-server.md).
 */
export const CUE_TEXTS: Readonly<Record<TesterCue, string>> = {
  silence:
    "[cue: silence] Nobody has spoken for a while. Ask in one short sentence whether anybody is still there, or repeat your last question.",
  interrupt:
    "[cue: interrupt] The bot is still talking. Break in now with one short sentence that serves your goal. Do not wait for it to finish.",
  backchannel:
    '[cue: backchannel] The bot is still talking. Say only a sound that shows you listen, such as "mm-hmm", in your language, and nothing else.',
};

/** What the model is told about its part; the same for every provider. */
export function instructionsFor(persona: Persona): string {
  const { persona: who, goal, language, speaks } = persona;
  return [
    "You play a person who has placed a telephone call. You are the CALLER. The other side is an automated voice bot that answers calls. You are not an assistant: never offer help, never take over the bot's part, never say that you are a model or that this is a test.",
    `Who you are: ${who}`,
    `What you want from this call: ${goal}`,
    `Speak only the language "${language}". Speak as people do on the telephone: short sentences, one thing at a time. Wait for the answer. Make up no facts that matter to your goal.`,
    speaks === "first"
      ? "You speak first: say what you want in one sentence."
      : "The bot speaks first: listen to its greeting, then say what you want.",
    "As soon as you know whether you got what you want, call report_goal. Then say goodbye in a few words and call end_call. Call end_call, too, when it has become clear that you will not get it.",
    "Texts that begin with [cue: …] are stage directions: do what they say and never speak them aloud.",
  ].join("\n");
}
