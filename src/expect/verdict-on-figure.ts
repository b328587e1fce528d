import { after, EnvironmentError, ExpectationError } from "../environment/index.ts";
import {
  type CallMetrics,
  type Certainty,
  DOUBT_WORDS,
  describeEvidence,
  errorBoundMs,
  type FigureEvidence,
  formatMs,
  STATED_ERROR_MS,
  spanBetween,
} from "../measure/index.ts";

/**
 * Compares a figure with its limit; returns the evidence as text where it holds.
 *
 * The figure counts with its error bar: where our own side was too unsteady to tell which side of
 * the limit the truth lies on, the verdict is inconclusive, never pass.
 * @throws ExpectationError ERR_ABOVE_LIMIT; EnvironmentError ERR_INSTRUMENT_UNHEALTHY,
 *   ERR_MEASUREMENT_UNCERTAIN.
 */
export function expectWithin(evidence: FigureEvidence, call: CallMetrics): string {
  const text = describeEvidence(evidence, call);
  const { observedMs, limitMs, figure } = evidence;
  const context = { figure, limitMs, observedMs, at: evidence.at };
  if (observedMs === undefined) throw new ExpectationError("ERR_NOTHING_HEARD", text, { context });
  throwIfDoubtful(evidence, call);
  if (observedMs > limitMs) throw new ExpectationError("ERR_ABOVE_LIMIT", text, { context });
  return text;
}

/**
 * A figure whose limit lies within its bounds decides nothing: because of our own timing, or of what
 * the recording leaves open.
 * @throws EnvironmentError ERR_INSTRUMENT_UNHEALTHY, ERR_MEASUREMENT_UNCERTAIN.
 */
export function throwIfDoubtful(evidence: FigureEvidence, call: CallMetrics): void {
  const { doubt, observedMs = 0, limitMs, figure, at } = evidence;
  const text = describeEvidence(evidence, call);
  const context = { figure, limitMs, observedMs, at };
  const errorMs = errorBoundMs(call, at && spanBetween(after(at, -observedMs), at));
  if (errorMs > STATED_ERROR_MS && Math.abs(observedMs - limitMs) < errorMs) {
    throw new EnvironmentError(
      "ERR_INSTRUMENT_UNHEALTHY",
      `Inconclusive: ${text}, but our own timing was off by up to ${formatMs(errorMs)} meanwhile. Run it again on a quieter machine.`,
      { context: { ...context, errorMs } },
    );
  }
  if (doubt === undefined || Math.abs(observedMs - limitMs) > doubt.uncertaintyMs) return;
  throw new EnvironmentError(
    "ERR_MEASUREMENT_UNCERTAIN",
    `Inconclusive: ${text}, give or take ${formatMs(doubt.uncertaintyMs)} (${doubt.why}). Listen to the recording there; less noise, or a bot that records its own end, makes it certain.`,
    { context: { ...context, uncertaintyMs: doubt.uncertaintyMs } },
  );
}

/** What a figure's certainty adds to its evidence. */
export function doubtIn(known: Partial<Certainty> | undefined): Pick<FigureEvidence, "doubt"> {
  if (known?.doubt === undefined) return {};
  return { doubt: { uncertaintyMs: known.uncertaintyMs ?? 0, why: DOUBT_WORDS[known.doubt] } };
}
