import { seededRandom } from "../environment/index.ts";
import { aiUsageOf, figuresOf, ratesOf, usageWords } from "../measure/index.ts";
import { figureTable, fit, rateTable } from "./figure-lines.ts";
import { plainText } from "./plain-text.ts";
import { countVerdicts, type RunSummary, type ScenarioSummary, VERDICTS } from "./run-summary.ts";

const NAME_WIDTH = 60;

/** The run for the terminal: a line per scenario, then the figures. Plain text, no colours. */
export function renderSummary(run: RunSummary): string {
  const metrics = run.calls.map((call) => call.metrics);
  const ai = aiUsageOf(metrics);
  return [
    ...run.scenarios.flatMap(scenarioLines),
    "",
    ...figureTable(figuresOf(metrics, seededRandom(run.seed))),
    ...calibrationLines(run),
    ...rateTable(ratesOf(metrics)),
    ...(ai === undefined ? [] : [`  The AI used ${usageWords(ai)}.`, ""]),
    verdictLine(run),
    "",
  ].join("\n");
}

/** Beside figures only: without calls there is nothing that could be off. */
function calibrationLines({ calibration, calls }: RunSummary): string[] {
  if (calibration === undefined || calls.length === 0) return [];
  const { lines, warnings } = calibration;
  return [...lines, ...warnings].map((line) => `  ${plainText(line)}`).concat("");
}

function scenarioLines(scenario: ScenarioSummary): string[] {
  const { verdict, name, durationMs, error } = scenario;
  const seconds = `${(durationMs / 1000).toFixed(1)} s`;
  const word = verdict === "pass" ? "pass" : verdict.toUpperCase();
  const line = `  ${word.padEnd(13)}${fit(plainText(name), NAME_WIDTH)}${seconds.padStart(9)}`;
  if (error === undefined) return [line];
  const [first = ""] = plainText(error.message).split("\n");
  const code = error.code === undefined ? "" : `${error.code}: `;
  return [line, `${" ".repeat(15)}${code}${first}`];
}

function verdictLine(run: RunSummary): string {
  const counts = countVerdicts(run);
  const shown = VERDICTS.filter((verdict) => counts[verdict] > 0);
  const words = shown.map((verdict) => `${counts[verdict]} ${verdict}`).join(", ");
  return `  ${run.scenarios.length} scenarios: ${words || "none ran"}`;
}
