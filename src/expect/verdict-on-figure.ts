import { EnvironmentError, ExpectationError } from "../environment/index.ts";
import {
  type CallMetrics,
  describeEvidence,
  errorBoundMs,
  type FigureEvidence,
  formatMs,
  instrumentConcerns,
  STATED_ERROR_MS,
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
  throwIfOpen(evidence, text);
  const errorMs = errorBoundMs(call);
  if (errorMs > STATED_ERROR_MS && Math.abs(observedMs - limitMs) < errorMs) {
    throw new EnvironmentError(
      "ERR_INSTRUMENT_UNHEALTHY",
      `Inconclusive: ${text}, but our own timing was off by up to ${formatMs(errorMs)} (${instrumentConcerns(call).join("; ")}). Run it again on a quieter machine.`,
      { context: { ...context, errorMs } },
    );
  }
  if (observedMs > limitMs) throw new ExpectationError("ERR_ABOVE_LIMIT", text, { context });
  return text;
}

/** A doubtful figure decides nothing where the limit lies within its bounds. */
function throwIfOpen(evidence: FigureEvidence, text: string): void {
  const { doubt, observedMs = 0, limitMs, figure } = evidence;
  if (doubt === undefined || Math.abs(observedMs - limitMs) > doubt.uncertaintyMs) return;
  throw new EnvironmentError(
    "ERR_MEASUREMENT_UNCERTAIN",
    `Inconclusive: ${text}, give or take ${formatMs(doubt.uncertaintyMs)} (${doubt.why}). Listen to the recording there; less noise, or a bot that records its own end, makes it certain.`,
    { context: { figure, limitMs, observedMs, uncertaintyMs: doubt.uncertaintyMs } },
  );
}
