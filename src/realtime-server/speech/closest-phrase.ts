import { spokenForm } from "../../audio/index.ts";

/** A phrase that a script listens for. */
export interface WrittenPhrase {
  readonly id: string;
  readonly text: string;
}

/** Of the words of either, at most so many may be others, more or missing. */
const DIFFERENT_SHARE_MAX = 0.34;

/**
 * The phrase whose words are nearest to those that were understood, if any is near, and how near,
 * from 0 to 1. Recognisers add fillers and mistake words; neither changes what was meant.
 */
export function closestPhrase(
  understood: string,
  phrases: readonly WrittenPhrase[],
): { readonly id: string | undefined; readonly score: number } {
  const said = wordsOf(understood);
  let best: { id: string | undefined; score: number } = { id: undefined, score: 0 };
  for (const { id, text } of phrases) {
    const wanted = wordsOf(text);
    const length = Math.max(said.length, wanted.length, 1);
    const score = said.length === 0 ? 0 : 1 - wordDistance(said, wanted) / length;
    if (score > best.score) best = { id, score };
  }
  return best.score >= 1 - DIFFERENT_SHARE_MAX ? best : { id: undefined, score: best.score };
}

function wordsOf(text: string): readonly string[] {
  const form = spokenForm(text);
  return form === "" ? [] : form.split("-");
}

/** Levenshtein's distance in words. */
function wordDistance(left: readonly string[], right: readonly string[]): number {
  let row = Array.from({ length: right.length + 1 }, (_, at) => at);
  for (const [index, word] of left.entries()) {
    const next = [index + 1];
    for (const [at, other] of right.entries()) {
      const replaced = (row[at] ?? 0) + (word === other ? 0 : 1);
      next.push(Math.min(replaced, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
