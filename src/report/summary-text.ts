import {
  aiUsageOf,
  type Figure,
  figuresOf,
  formatMs,
  type Rate,
  ratesOf,
  usageWords,
} from "../measure/index.ts";
import { plainText } from "./plain-text.ts";
import { countVerdicts, type RunSummary, type ScenarioSummary, VERDICTS } from "./run-summary.ts";

const NAME_WIDTH = 60;
const FIGURE_WIDTH = 44;
const NUMBER_WIDTH = 10;

/** The run for the terminal: a line per scenario, then the figures. Plain text, no colours. */
export function renderSummary(run: RunSummary): string {
  const metrics = run.calls.map((call) => call.metrics);
  const figures = figuresOf(metrics).filter(({ statistics }) => statistics !== undefined);
  const rates = ratesOf(metrics).filter(({ total }) => total > 0);
  const ai = aiUsageOf(metrics);
  return [
    ...run.scenarios.flatMap(scenarioLines),
    "",
    ...(figures.length > 0 ? [figureHeader(), ...figures.flatMap(figureLines), ""] : []),
    ...(rates.length > 0 ? [...rates.map(rateLine), ""] : []),
    ...(ai === undefined ? [] : [`  The AI used ${usageWords(ai)}.`, ""]),
    verdictLine(run),
    "",
  ].join("\n");
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

function figureHeader(): string {
  const columns = ["n", "p50", "p95", "max"].map((name) => name.padStart(NUMBER_WIDTH));
  return `  ${"".padEnd(FIGURE_WIDTH)}${columns.join("")}`;
}

function figureLines({ title, statistics, discarded }: Figure): string[] {
  if (statistics === undefined) return [];
  const { n, p50, p95, max } = statistics;
  const numbers = [String(n), ...[p50, p95, max].map((ms) => formatMs(ms))];
  const columns = numbers.map((text) => text.padStart(NUMBER_WIDTH)).join("");
  const left = discarded.map(({ reason, count }) => `${count} ${reason}`).join(", ");
  const line = `  ${fit(title, FIGURE_WIDTH)}${columns}`;
  return left === "" ? [line] : [line, `      not counted: ${left}`];
}

function rateLine({ title, count, total }: Rate): string {
  return `  ${fit(title, NAME_WIDTH)}${`${count} of ${total}`.padStart(NUMBER_WIDTH)}`;
}

function verdictLine(run: RunSummary): string {
  const counts = countVerdicts(run);
  const shown = VERDICTS.filter((verdict) => counts[verdict] > 0);
  const words = shown.map((verdict) => `${counts[verdict]} ${verdict}`).join(", ");
  return `  ${run.scenarios.length} scenarios: ${words || "none ran"}`;
}

function fit(text: string, width: number): string {
  return text.length < width ? text.padEnd(width) : `${text.slice(0, width - 2)}… `;
}
