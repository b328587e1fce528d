import { type Change, formatMs, type Interval } from "../measure/index.ts";
import { isWorse, type RunComparison } from "./compare-runs.ts";
import { SHARE_EVENTS_MIN } from "./figure-lines.ts";
import { plainText } from "./plain-text.ts";

const TITLE_WIDTH = 50;
const VALUE_WIDTH = 11;
const INTERVAL_WIDTH = 22;

/** A comparison for the terminal. Plain text, no colours. */
export function renderComparison(comparison: RunComparison): string {
  const { runIds, changes, verdicts, onlyIn, circumstances, unhealthyCalls } = comparison;
  return [
    `  A: ${plainText(runIds.a)}   B: ${plainText(runIds.b)}`,
    "",
    ...(changes.length === 0 ? ["  No figure was taken by both."] : [header()]),
    ...changes.map(changeLine),
    ...section(
      "Verdicts that differ",
      verdicts.map(({ scenario, a, b }) => `${scenario}: ${a} → ${b}`),
    ),
    ...section("Scenarios of A only, not compared", onlyIn.a),
    ...section("Scenarios of B only, not compared", onlyIn.b),
    ...section(
      "Circumstances that differ",
      circumstances.map(({ name, a = "–", b = "–" }) => `${name}: ${a} → ${b}`),
    ),
    ...(unhealthyCalls.a + unhealthyCalls.b === 0
      ? []
      : [
          "",
          `  Not to be trusted: the instrument was not healthy in ${unhealthyCalls.a} calls of A ` +
            `and ${unhealthyCalls.b} of B.`,
        ]),
    "",
    isWorse(comparison)
      ? "  B is worse, by more than noise."
      : "  Nothing is worse in B by more than noise.",
    "",
  ].join("\n");
}

function header(): string {
  const columns = ["A", "B", "B − A"].map((name) => name.padStart(VALUE_WIDTH)).join("");
  return `  ${"".padEnd(TITLE_WIDTH)}${columns}${"95 % interval".padStart(INTERVAL_WIDTH)}    n`;
}

function changeLine(change: Change): string {
  const { title, statistic, a, b, difference, interval, n } = change;
  const name = `${title}${statistic === "mean" ? "" : `, ${statistic}`}`;
  const fitted =
    name.length < TITLE_WIDTH ? name.padEnd(TITLE_WIDTH) : `${name.slice(0, TITLE_WIDTH - 2)}… `;
  const show = (value: number): string => valueText(change, value);
  const isHidden = change.unit === "share" && Math.min(n.a, n.b) < SHARE_EVENTS_MIN;
  const shown = isHidden ? [n.a, n.b].map(hiddenShare) : [show(a), show(b)];
  const values = [...shown, isHidden ? "–" : signed(difference, show)]
    .map((text) => text.padStart(VALUE_WIDTH))
    .join("");
  const range = (isHidden ? "–" : intervalText(interval, show)).padStart(INTERVAL_WIDTH);
  return `  ${fitted}${values}${range}    ${n.a} and ${n.b}: ${verdictWords(change)}`;
}

function verdictWords({ verdict, moreIsBetter, pValue }: Change): string {
  const p = pValue === undefined ? "" : ` (p ${pValue < 0.001 ? "< 0.001" : pValue.toFixed(3)})`;
  const isBetter = verdict === (moreIsBetter ? "rose" : "fell");
  return {
    rose: `${isBetter ? "BETTER" : "WORSE"}${p}`,
    fell: `${isBetter ? "BETTER" : "WORSE"}${p}`,
    noise: `no more than noise${p}`,
    tooSmall: "less than the measurement's own error",
    tooFew: "too few calls to tell",
  }[verdict];
}

function valueText({ unit }: Change, value: number): string {
  return unit === "ms" ? formatMs(value) : `${(value * 100).toFixed(0)} %`;
}

/** A share of so few events says little (metrics.md); the verdict beside it has been computed. */
function hiddenShare(events: number): string {
  return `of ${events}`;
}

function signed(value: number, show: (value: number) => string): string {
  const text = show(value);
  // What rounds to nothing has no sign.
  if (/^[-−]?0 /u.test(text)) return show(0);
  return value > 0 ? `+${text}` : text;
}

function intervalText(interval: Interval | undefined, show: (value: number) => string): string {
  if (interval === undefined) return "–";
  return `${signed(interval.low, show)} … ${signed(interval.high, show)}`;
}

function section(title: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return ["", `  ${title}`, ...lines.map((line) => `    ${plainText(line)}`)];
}
