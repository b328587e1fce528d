import type { Fault } from "../environment/index.ts";
import type { CallMetrics } from "../measure/index.ts";
import type { CallDescription } from "../timeline/index.ts";
import type { CalibrationNote } from "./calibration-note.ts";

/**
 * What became of a scenario. `inconclusive`: our instrument was not good enough to tell ·
 * `unsupported`: the bot cannot do what is asked · `broken`: the test itself, the host or the
 * network is wrong.
 */
export type Verdict = "pass" | "fail" | "inconclusive" | "unsupported" | "broken";

/** All verdicts, in the order in which they are shown. */
export const VERDICTS: readonly Verdict[] = [
  "pass",
  "fail",
  "inconclusive",
  "unsupported",
  "broken",
];

/** An error as it is shown. */
export interface ErrorSummary {
  readonly code?: string;
  /** Whose fault it is, where that is known. */
  readonly fault?: Fault;
  readonly message: string;
}

/** One step of a scenario. */
export interface StepSummary {
  readonly keyword: string;
  readonly text: string;
  /** Cucumber's word, lower case: passed, failed, skipped, pending, undefined, ambiguous. */
  readonly status: string;
  readonly durationMs?: number;
  readonly error?: ErrorSummary;
}

/** One scenario and what became of it. */
export interface ScenarioSummary {
  readonly name: string;
  readonly feature: string;
  readonly uri: string;
  readonly line: number;
  readonly tags: readonly string[];
  readonly verdict: Verdict;
  readonly durationMs: number;
  readonly error?: ErrorSummary;
  readonly steps: readonly StepSummary[];
  /** `CallSummary.id` of the calls that it made. */
  readonly callIds: readonly string[];
}

/** One call of a run; its files lie in `calls/<id>/` beside the report. */
export interface CallSummary {
  readonly id: string;
  readonly description: CallDescription;
  readonly metrics: CallMetrics;
}

/** A whole run: what every output is made from. */
export interface RunSummary {
  readonly runId: string;
  /** ISO 8601, for people only. */
  readonly startedAt: string;
  readonly durationMs?: number;
  readonly seed: string;
  /** "sidetone": "0.1.0", "node": "v20.20.2", … */
  readonly versions: Readonly<Record<string, string>>;
  /** Host, network, AI provider: whatever the figures depend on. No secrets. */
  readonly environment: Readonly<Record<string, string>>;
  /** How far this machine's figures may be trusted, by its last calibration. */
  readonly calibration?: CalibrationNote;
  readonly scenarios: readonly ScenarioSummary[];
  readonly calls: readonly CallSummary[];
}

/** How many scenarios came to each verdict. */
export function countVerdicts(run: RunSummary): Readonly<Record<Verdict, number>> {
  const counts = { pass: 0, fail: 0, inconclusive: 0, unsupported: 0, broken: 0 };
  for (const { verdict } of run.scenarios) counts[verdict] += 1;
  return counts;
}
