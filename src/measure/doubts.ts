import { roundMs } from "./time-spans.ts";

/** Why a figure is not counted. */
export type Doubt =
  /** Noise or the like leaves an edge open by more than `WIDE_MS`. */
  | "wideUncertainty"
  /** What was heard contradicts what was sent. */
  | "methodsDisagree"
  /** The recording does not confirm the script to within 40 ms. */
  | "scriptDisagrees"
  /** Our own ends kept time so badly meanwhile that it may be off by more than `WIDE_MS`. */
  | "ownTiming"
  /** Nothing is known of the bot's inside, and it spoke on: a stop, or a pause within a sentence. */
  | "maybePause"
  /** The limit by which it counts as the one or the other lies within its bounds. */
  | "nearLimit";

/** What may lie anywhere in so much tells nothing of answers that take tenths of a second. */
const WIDE_MS = 100;

/** Each doubt in words. */
export const DOUBT_WORDS: Readonly<Record<Doubt, string>> = {
  wideUncertainty: "uncertain: noise hides an edge of the speech",
  methodsDisagree: "uncertain: two methods disagree about an edge of the speech",
  scriptDisagrees: "uncertain: the recording does not confirm the script",
  ownTiming: "uncertain: our own machine kept time badly meanwhile",
  maybePause: "uncertain: the bot may only have paused",
  nearLimit: "uncertain: too close to the limit by which it counts",
};

/** How far a figure is known. */
export interface Certainty {
  /** Not counted in percentiles and rates, and why. */
  readonly uncertain: boolean;
  readonly doubt?: Doubt;
  /** The figure lies within ± this in 95 % of cases. */
  readonly uncertaintyMs: number;
}

/** What speaks against an edge that is known to within ± `uncertaintyMs`; mostly nothing. */
function doubtOf(uncertaintyMs: number): Doubt | undefined {
  return uncertaintyMs > WIDE_MS ? "wideUncertainty" : undefined;
}

/** What speaks against a figure in whose time our own timing was off by `unsteadyMs`. */
export function doubtOfTiming(unsteadyMs: number): Doubt | undefined {
  return unsteadyMs > WIDE_MS ? "ownTiming" : undefined;
}

/** The first doubt of several, and the uncertainties of all of a figure's parts together. */
export function certaintyOf(
  doubts: readonly (Doubt | undefined)[],
  uncertaintiesMs: readonly number[],
): Certainty {
  const doubt = doubts.find((each) => each !== undefined);
  return {
    uncertain: doubt !== undefined,
    ...(doubt === undefined ? {} : { doubt }),
    uncertaintyMs: roundMs(uncertaintiesMs.reduce((sum, ms) => sum + ms, 0)),
  };
}

/**
 * How far an edge of speech is known.
 *
 * @param disagreementMs where two methods contradict each other: by how much.
 */
export function edgeCertainty(uncertaintyMs: number, disagreementMs?: number): Certainty {
  return disagreementMs === undefined
    ? certaintyOf([doubtOf(uncertaintyMs)], [uncertaintyMs])
    : certaintyOf(["methodsDisagree"], [uncertaintyMs, Math.abs(disagreementMs)]);
}
