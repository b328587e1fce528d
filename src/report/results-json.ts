import { seededRandom } from "../environment/index.ts";
import { aiUsageOf, figuresOf, passRateOf, ratesOf } from "../measure/index.ts";
import { countVerdicts, type RunSummary } from "./run-summary.ts";

/** The version of `results.json`; raised when a field changes its meaning or goes away. */
export const RESULTS_VERSION = 1;

/**
 * The run for machines: verdicts, figures over all calls, every scenario and every call with all
 * its metrics. Instants are milliseconds of the host's monotonic clock: only their differences
 * mean something.
 */
export function renderResults(run: RunSummary): string {
  const metrics = run.calls.map((call) => call.metrics);
  const ai = aiUsageOf(metrics);
  const results = {
    schema: "sidetone-results",
    version: RESULTS_VERSION,
    verdicts: countVerdicts(run),
    figures: figuresOf(metrics, seededRandom(run.seed)),
    rates: ratesOf(metrics),
    ...(ai === undefined ? {} : { ai }),
    ...run,
    scenarios: run.scenarios.map((scenario) => {
      const own = run.calls.filter(({ id }) => scenario.callIds.includes(id));
      const passRate = passRateOf(own.map((call) => call.metrics));
      return passRate === undefined ? scenario : { ...scenario, passRate };
    }),
  };
  return `${JSON.stringify(results, undefined, 2)}\n`;
}
