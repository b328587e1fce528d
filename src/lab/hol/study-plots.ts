import type { Interval } from "../../measure/index.ts";
import { html, type Markup } from "../../report/index.ts";
import type { CellSummary } from "./analysis.ts";
import type { CallResult } from "./call-result.ts";
import { legendMarkup, type Plot, type PlotPanel, type PlotPoint, plotMarkup } from "./plot.ts";
import { type Series, seriesOf } from "./series.ts";
import { shownP95 } from "./study-text.ts";
import { percentOf } from "./sweep.ts";

/** A figure of a cell, as a point of a plot; `undefined` where the cell has none. */
type FigureOf = (
  summary: CellSummary,
) => { readonly value: number; readonly interval?: Interval | undefined } | undefined;

interface FigurePlot {
  readonly title: string;
  readonly about: string;
  readonly yTitle: string;
  readonly figureOf: FigureOf;
}

const FIGURE_PLOTS: readonly FigurePlot[] = [
  {
    title: "Response latency heard, median",
    about:
      "From the end of the caller's question to the onset of the answer, as the caller hears it.",
    yTitle: "ms",
    figureOf: ({ responseLatencyMs: s }) => s && { value: s.p50, interval: s.p50Interval },
  },
  {
    title: "Response latency heard, 95th percentile",
    about: "Of the same turns: what one question in twenty waits for, or longer.",
    yTitle: "ms",
    figureOf: ({ responseLatencyMs: s }) => {
      const value = shownP95(s);
      return value === undefined ? undefined : { value, interval: s?.p95Interval };
    },
  },
  {
    title: "Barge-in stop, median",
    about:
      "From the onset of the caller's interruption to the last of the bot's speech heard. The order to stop comes from the AI, over the same network. Only interruptions that stopped the bot within 2 s are in it: see the next plot.",
    yTitle: "ms",
    figureOf: ({ bargeInStopMs: s }) => s && { value: s.p50, interval: s.p50Interval },
  },
  {
    title: "Interruptions not yielded to",
    about: "Of those that counted, how many did not stop the bot within 2 s.",
    yTitle: "share",
    figureOf: ({ notYielded: { count, total, interval } }) =>
      total === 0 ? undefined : { value: count / total, interval },
  },
  {
    title: "Stalls on the AI's leg",
    about:
      "Times that bytes from the AI came 100 ms late or more, in a minute of the call. Where much is lost, stalls run into each other: fewer, but longer ones.",
    yTitle: "per minute",
    figureOf: ({ pathStallsPerMinute: r }) => r && { value: r.perMinute, interval: r.interval },
  },
  {
    title: "Gaps heard",
    about: "Silence cut out of the bot's speech, as heard: how often, in a minute of its speech.",
    yTitle: "per minute",
    figureOf: ({ gapsPerMinute: r }) => r && { value: r.perMinute, interval: r.interval },
  },
  {
    title: "Playout stalls",
    about:
      "Times that the bridge had nothing to play though more of the answer was to come, in a minute of the bot's speech.",
    yTitle: "per minute",
    figureOf: ({ playoutStallsPerMinute: r }) => r && { value: r.perMinute, interval: r.interval },
  },
];

const LISTENING: FigurePlot = {
  title: "Listening quality (ViSQOL)",
  about: "MOS-LQO of the bot's speech, what it sent against what was heard; median of the calls.",
  yTitle: "MOS-LQO",
  figureOf: ({ mosLqo: s }) => s && { value: s.p50, interval: s.p50Interval },
};

/** Every figure against loss, a panel for each round trip, and the distribution of stalls. */
export function plotsSection(
  cells: readonly CellSummary[],
  results: readonly CallResult[],
): Markup {
  const series = seriesOf(cells);
  const legend = legendMarkup(series.map(({ name }) => name));
  const plots = cells.some(({ mosLqo }) => mosLqo) ? [...FIGURE_PLOTS, LISTENING] : FIGURE_PLOTS;
  return html`${plots.map(
    (plot) =>
      html`<section><h3>${plot.title}</h3><p class="muted small">${plot.about}</p>${legend}${plotMarkup(figurePlot(plot, series))}</section>`,
  )}
<section><h3>Distribution of stalls</h3><p class="muted small">How often in a minute of the call bytes from the AI were overdue by so much or more, at the highest loss of the study. Both axes are logarithmic.</p>${legend}${plotMarkup(stallPlot(series, results))}</section>`;
}

function figurePlot({ yTitle, figureOf }: FigurePlot, series: readonly Series[]): Plot {
  return {
    xTitle: "packets lost, %",
    yTitle,
    xScale: "linear",
    yScale: "linear",
    isMarked: true,
    panels: panelsOf(series, (cells, name) =>
      cells.flatMap((summary) => {
        const figure = figureOf(summary);
        return figure === undefined ? [] : [pointOf(summary, figure, { name, yTitle })];
      }),
    ),
  };
}

function pointOf(
  { cell }: CellSummary,
  { value, interval }: NonNullable<ReturnType<FigureOf>>,
  { name, yTitle }: { readonly name: string; readonly yTitle: string },
): PlotPoint {
  const x = percentOf(cell.lossRatio);
  const shown = (number: number): string => number.toFixed(yTitle === "ms" ? 0 : 2);
  const hint = `${name}, ${x} %: ${shown(value)} ${yTitle}`;
  if (interval === undefined) return { x, y: value, hint };
  const { low, high } = interval;
  return { x, y: value, low, high, hint: `${hint} [${shown(low)}, ${shown(high)}]` };
}

function stallPlot(series: readonly Series[], results: readonly CallResult[]): Plot {
  const highest = Math.max(
    ...series.flatMap(({ cells }) => cells.map(({ cell }) => cell.lossRatio)),
  );
  return {
    xTitle: "overdue by at least, ms",
    yTitle: "per minute",
    xScale: "log",
    yScale: "log",
    isMarked: false,
    panels: panelsOf(series, (cells) => {
      const ids = new Set(
        cells.filter(({ cell }) => cell.lossRatio === highest).map(({ cell }) => cell.id),
      );
      return exceedance(results.filter((call) => ids.has(call.cell) && !call.isUnhealthy));
    }),
  };
}

/** Stalls of x and more in a minute, at each x that occurred. */
function exceedance(calls: readonly CallResult[]): PlotPoint[] {
  const minutes = calls.reduce((sum, { durationMs }) => sum + durationMs / 60_000, 0);
  const stalls = calls
    .flatMap(({ pathStalls }) => pathStalls)
    .filter(({ direction }) => direction === "received")
    .map(({ overdueMs }) => overdueMs)
    .toSorted((a, b) => b - a);
  return stalls
    .map((x, index) => ({ x, y: (index + 1) / minutes, hint: "" }))
    .filter(({ x }, index) => x > 0 && x !== stalls[index + 1])
    .toReversed();
}

function panelsOf(
  series: readonly Series[],
  pointsOf: (cells: readonly CellSummary[], name: string) => readonly PlotPoint[],
): PlotPanel[] {
  const roundTrips = new Set(
    series.flatMap(({ cells }) => cells.map(({ cell }) => cell.roundTripMs)),
  );
  return [...roundTrips]
    .toSorted((a, b) => a - b)
    .map((roundTripMs) => ({
      title: `round trip ${roundTripMs} ms`,
      lines: series
        .map(({ name, cells }, index) => ({
          series: index,
          points: pointsOf(
            cells.filter(({ cell }) => cell.roundTripMs === roundTripMs),
            name,
          ),
        }))
        .filter(({ points }) => points.length > 0),
    }));
}
