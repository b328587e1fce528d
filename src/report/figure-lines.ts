import {
  type Figure,
  formatMs,
  type Interval,
  type Rate,
  type Statistics,
  shownStatistics,
} from "../measure/index.ts";

const FIGURE_WIDTH = 44;
const RATE_WIDTH = 60;
const NUMBER_WIDTH = 10;
/** Below this many events a share says little, so only the counts are shown (metrics.md). */
export const SHARE_EVENTS_MIN = 10;

/** Figures for the terminal: their statistics, the intervals of these, and what was left out. */
export function figureTable(figures: readonly Figure[]): string[] {
  const shown = figures.filter(
    ({ statistics, discarded }) => statistics !== undefined || discarded.length > 0,
  );
  if (shown.length === 0) return [];
  const columns = ["n", "p50", "p95", "p99", "max"].map((name) => name.padStart(NUMBER_WIDTH));
  return [`  ${"".padEnd(FIGURE_WIDTH)}${columns.join("")}`, ...shown.flatMap(figureLines), ""];
}

/** Rates for the terminal; those that nothing happened to are left out. */
export function rateTable(rates: readonly Rate[]): string[] {
  const shown = rates.filter(({ total, uncertain }) => total > 0 || uncertain !== undefined);
  return shown.length === 0 ? [] : [...shown.map(rateLine), ""];
}

/** A text in a column of `width`, cut where it is too long. */
export function fit(text: string, width: number): string {
  return text.length < width ? text.padEnd(width) : `${text.slice(0, width - 2)}… `;
}

function figureLines({ title, statistics, discarded }: Figure): string[] {
  const shown: Partial<Statistics> = statistics === undefined ? {} : shownStatistics(statistics);
  const { n = 0, p50, p95, p99, max } = shown;
  const numbers = [p50, p95, p99, max].map((ms) => (ms === undefined ? "–" : formatMs(ms)));
  const columns = [String(n), ...numbers].map((text) => text.padStart(NUMBER_WIDTH)).join("");
  const intervals = [
    ["p50", shown.p50Interval],
    ["p95", shown.p95Interval],
    ["p99", shown.p99Interval],
  ] as const;
  const ranges = intervals.flatMap(([name, interval]) =>
    interval === undefined ? [] : [`${name} ${rangeText(interval)}`],
  );
  const left = discarded.map(({ reason, count }) => `${count} ${reason}`);
  return [
    `  ${fit(title, FIGURE_WIDTH)}${columns}`,
    ...(ranges.length === 0 ? [] : [`      95 % intervals: ${ranges.join(", ")}`]),
    ...(left.length === 0 ? [] : [`      not counted: ${left.join(", ")}`]),
  ];
}

function rangeText({ low, high }: Interval): string {
  return `${formatMs(low)} … ${formatMs(high)}`;
}

function rateLine({ title, count, total, uncertain, interval }: Rate): string {
  const counts = `  ${fit(title, RATE_WIDTH)}${`${count} of ${total}`.padStart(NUMBER_WIDTH)}`;
  const left = uncertain === undefined ? "" : `   not counted: ${uncertain} uncertain`;
  if (total < SHARE_EVENTS_MIN || interval === undefined) return `${counts}${left}`;
  return `${counts}   ${percent(count / total)} (${percent(interval.low)} … ${percent(interval.high)})${left}`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
