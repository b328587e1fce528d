import { after, instant } from "../environment/index.ts";
import type { Fact, InstrumentFact, Party } from "../timeline/index.ts";
import { factsOf } from "./facts-of.ts";
import { roundMs, type TimeSpan } from "./time-spans.ts";

/** A stretch in which one end of ours kept time worse than `STATED_ERROR_MS`. */
export interface UnsteadySpan extends TimeSpan {
  readonly party: Party;
  /** How late a packet left at most, or how long the event loop lagged, whichever was more. */
  readonly offMs: number;
}

/** The error of a time that docs/measurements.md states for an instrument that kept time. */
export const STATED_ERROR_MS = 20;

/** What a figure's edges rest on lies so far around them: the way of a packet, and its playout. */
const MARGIN_MS = 200;
/** Each end tells once a second how it kept time. */
const INTERVAL_MS = 1000;

/**
 * When each end of ours kept time badly, by what it told once a second, when it was asked, and at the
 * end. Folders of before packets were told of so have the worst of the whole call instead.
 */
export function unsteadySpans(facts: readonly Fact[]): UnsteadySpan[] {
  return (["caller", "bot"] as const).flatMap((party) => {
    const told = factsOf(facts, "instrument", party);
    const wholeMs = told.some(({ departureJitterMsMax }) => departureJitterMsMax !== undefined)
      ? 0
      : (factsOf(facts, "mediaStatistics", party).at(-1)?.departureJitterMsMax ?? 0);
    const spans = told.map((fact, index) => spanOf(fact, told[index - 1]));
    const [first, last] = [facts[0]?.at ?? instant(0), facts.at(-1)?.at ?? instant(0)];
    const whole = { party, startAt: first, endAt: last, offMs: wholeMs };
    return [whole, ...spans].filter(({ offMs }) => offMs > STATED_ERROR_MS);
  });
}

function spanOf(fact: InstrumentFact, before: InstrumentFact | undefined): UnsteadySpan {
  const { party, at, eventLoopLagMsMax, departureJitterMsMax = 0 } = fact;
  return {
    party,
    startAt: before?.at ?? after(at, -INTERVAL_MS),
    endAt: at,
    offMs: roundMs(Math.max(eventLoopLagMsMax, departureJitterMsMax)),
  };
}

/**
 * By how much the timing of our own ends was off at worst while a figure was taken; 0 where it was off
 * by no more than is stated. The worse end counts: on a machine with both ends and load 15, figures
 * were off by far less than either.
 *
 * @param figure what the figure spans; the whole call without it.
 */
export function unsteadyMs(unsteady: readonly UnsteadySpan[], figure?: TimeSpan): number {
  const near =
    figure === undefined
      ? unsteady
      : unsteady.filter(
          ({ startAt, endAt }) =>
            endAt >= after(figure.startAt, -MARGIN_MS) && startAt <= after(figure.endAt, MARGIN_MS),
        );
  return near.reduce((worst, { offMs }) => Math.max(worst, offMs), 0);
}
