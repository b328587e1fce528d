import type { Instant } from "../environment/index.ts";
import { witnessOf } from "../measure/index.ts";
import type { Fact, Party, TesterFact } from "../timeline/index.ts";

/** Something said, as an AI wrote it down. */
export interface SpokenText {
  readonly by: Party;
  readonly text: string;
  readonly at: Instant;
}

/**
 * What both sides said, in order. The bot's words as the tester heard them, where its AI wrote any
 * down, else as the bot's AI claims them; the tester's as its own AI claims them.
 *
 * @param witness `anyone's word`: what either AI claims of either side.
 */
export function spokenTexts(
  facts: readonly Fact[],
  witness: "best" | "anyone's word" = "best",
): SpokenText[] {
  const all = facts.flatMap((fact) => (fact.kind === "aiTranscript" ? [fact] : []));
  return all
    .filter(({ of, party }) => witness !== "best" || party === witnessOf(facts, of))
    .filter(({ text }) => text.trim() !== "")
    .map(({ of, text, at }) => ({ by: of, text, at }))
    .toSorted((left, right) => left.at - right.at);
}

/** What the tester made of its call, once it is over. */
export function endOf(facts: readonly Fact[]): TesterFact | undefined {
  return facts.find((fact): fact is TesterFact => fact.kind === "tester" && fact.event === "ended");
}
