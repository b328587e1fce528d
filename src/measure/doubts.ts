/** Why a turn is not counted. */
export type Doubt =
  /** Noise or the like leaves an edge open by more than `WIDE_MS`. */
  | "wideUncertainty"
  /** What was heard contradicts what was sent. */
  | "methodsDisagree"
  /** The recording does not confirm the script to within 40 ms. */
  | "scriptDisagrees";

/** An edge that may lie anywhere in so much tells nothing of answers that take tenths of a second. */
const WIDE_MS = 100;

/** Each doubt in words. */
export const DOUBT_WORDS: Readonly<Record<Doubt, string>> = {
  wideUncertainty: "uncertain: noise hides an edge of the speech",
  methodsDisagree: "uncertain: two methods disagree about an edge of the speech",
  scriptDisagrees: "uncertain: the recording does not confirm the script",
};

/** What speaks against an edge that is known to within ± `uncertaintyMs`; mostly nothing. */
export function doubtOf(uncertaintyMs: number): Doubt | undefined {
  return uncertaintyMs > WIDE_MS ? "wideUncertainty" : undefined;
}
