import type { ErrorSummary, ScenarioSummary } from "../report/index.ts";

/** What the process's exit code says. */
export const EXIT_CODES: {
  readonly passed: 0;
  readonly failed: 1;
  readonly usage: 2;
  readonly environment: 3;
  readonly inconclusive: 4;
  readonly interrupted: 130;
} = { passed: 0, failed: 1, usage: 2, environment: 3, inconclusive: 4, interrupted: 130 };

/**
 * Broken weighs more than failed, failed more than inconclusive; of what is broken, the host more
 * than the scenario. What the bot does not support counts as failed: somebody asked for it, and a
 * run in which it was not tried must not be green.
 *
 * @param problems errors outside of scenarios.
 */
export function exitCodeOf(
  scenarios: readonly Pick<ScenarioSummary, "verdict" | "error">[],
  problems: readonly ErrorSummary[],
): number {
  const broken = scenarios.filter(({ verdict }) => verdict === "broken");
  const faults = [...problems, ...broken.map(({ error }) => error)].map((error) => error?.fault);
  if (faults.includes("environment")) return EXIT_CODES.environment;
  if (faults.length > 0) return EXIT_CODES.usage;
  const verdicts = new Set(scenarios.map(({ verdict }) => verdict));
  if (verdicts.has("fail") || verdicts.has("unsupported")) return EXIT_CODES.failed;
  if (verdicts.has("inconclusive")) return EXIT_CODES.inconclusive;
  // A run without a scenario proves nothing and must not be green.
  return scenarios.length === 0 ? EXIT_CODES.usage : EXIT_CODES.passed;
}
