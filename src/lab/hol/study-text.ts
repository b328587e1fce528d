import type { Interval, Statistics } from "../../measure/index.ts";
import { agreedOf, type Estimate, type StudyAgainst } from "./agreement.ts";
import type { CellSummary, Share, StudyAnalysis } from "./analysis.ts";
import type { Comparison } from "./comparison.ts";
import type { StoredStudy } from "./results-file.ts";
import { carrierName } from "./series.ts";
import { lossWords, timeWords } from "./sweep.ts";

const COLUMNS = ["turns", "p50", "p95", "stop p50", "stalls/min", "gaps/min", "missed"];
const NUMBER_WIDTH = 12;
const NAME_WIDTH = 66;

/** A study for the terminal: plain text, no colours. */
export function renderStudyText({ header }: StoredStudy, analysis: StudyAnalysis): string {
  const { sidetoneVersion, node, platform, sweep, skipped } = header;
  const titles = COLUMNS.map((column) => column.padStart(NUMBER_WIDTH)).join("");
  return [
    `Head-of-line blocking (Sidetone ${sidetoneVersion}, Node ${node}, ${platform}), ${timeWords(sweep)}, seed ${sweep.seed}`,
    "p50, p95: response latency heard, ms. Stalls: bytes from the AI 100 ms late and more.",
    ...skipped.map(({ transport, reason }) => `Skipped: ${transport}. ${reason}`),
    "",
    `  ${"".padEnd(NAME_WIDTH)}${titles}`,
    ...analysis.cells.map(cellLine),
    ...comparisonLines(analysis.comparisons),
    "",
  ].join("\n");
}

function cellLine(summary: CellSummary): string {
  const { cell, responseLatencyMs, bargeInStopMs, missed } = summary;
  const numbers = [
    String(summary.turns),
    msText(responseLatencyMs?.p50),
    msText(shownP95(responseLatencyMs)),
    msText(bargeInStopMs?.p50),
    rateText(summary.pathStallsPerMinute?.perMinute),
    rateText(summary.gapsPerMinute?.perMinute),
    shareText(missed),
  ];
  const buffer = cell.preBufferMs === 0 ? "" : `, pre-buffer ${cell.preBufferMs} ms`;
  const name = `${carrierName(cell)}, ${lossWords(cell)}, ${cell.roundTripMs} ms${buffer}`;
  const failures = summary.failed.length === 0 ? "" : `  ${summary.failed.length} calls failed`;
  return `  ${name.padEnd(NAME_WIDTH)}${numbers.map((text) => text.padStart(NUMBER_WIDTH)).join("")}${failures}`;
}

function comparisonLines(comparisons: readonly Comparison[]): string[] {
  if (comparisons.length === 0) return [];
  return [
    "",
    "  Response latency by TCP minus that by UDP, the same question of the same call, ms:",
    ...comparisons.map(({ tcp, responseLatencyMs: { n, p50, p50Interval } }) => {
      const name = `${carrierName(tcp)}, ${lossWords(tcp)}, ${tcp.roundTripMs} ms`;
      return `  ${name.padEnd(NAME_WIDTH)}${`p50 ${msText(p50)}`.padStart(NUMBER_WIDTH)}${intervalText(p50Interval)} (n ${n})`;
    }),
  ];
}

function estimateText({ value, interval }: Estimate, digits: number): string {
  return `${value.toFixed(digits)}${intervalText(interval, digits)}`;
}

/** Two studies' figures that should be the same, for the terminal. */
export function renderAgainstText({ name, agreements }: StudyAgainst): string {
  const { agreed, compared } = agreedOf(agreements);
  return [
    "",
    `  Beside ${name}: of ${compared} pairs of figures with intervals, ${agreed} overlap (times: or are apart by no more than a packet of 20 ms).`,
    ...agreements.flatMap(({ one: { cell }, figures }) => [
      `  ${carrierName(cell)}, ${lossWords(cell)}, ${cell.roundTripMs} ms`,
      ...figures.map(({ name: figure, unit, one, other, agrees }) => {
        const digits = unit === "ms" ? 0 : 2;
        const mark = agrees === false ? "  do not overlap" : "";
        return `    ${figure.padEnd(18)}${estimateText(one, digits).padStart(26)} | ${estimateText(other, digits)} ${unit}${mark}`;
      }),
    ]),
    "",
  ].join("\n");
}

/** Of fewer values a p95 would be the maximum again. */
export function shownP95(statistics: Statistics | undefined): number | undefined {
  return statistics === undefined || statistics.n < 20 ? undefined : statistics.p95;
}

/** The same of p99. */
export function shownP99(statistics: Statistics | undefined): number | undefined {
  return statistics === undefined || statistics.n < 100 ? undefined : statistics.p99;
}

export function msText(ms: number | undefined): string {
  return ms === undefined ? "–" : ms.toFixed(0);
}

export function rateText(perMinute: number | undefined): string {
  return perMinute === undefined ? "–" : perMinute.toFixed(2);
}

/** " [low, high]", or nothing. */
export function intervalText(interval: Interval | undefined, digits = 0): string {
  if (interval === undefined) return "";
  return ` [${interval.low.toFixed(digits)}, ${interval.high.toFixed(digits)}]`;
}

export function shareText({ count, total }: Share): string {
  return total === 0 ? "–" : `${count} of ${total}`;
}
