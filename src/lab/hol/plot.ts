import { html, type Markup, trusted } from "../../report/index.ts";

/** A point of a line; `low` and `high` bound its interval. */
export interface PlotPoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
  /** Shown where the pointer rests on it. */
  readonly hint: string;
}

/** Lines that share a pair of axes. A line's place among the study's series gives it its look. */
export interface PlotPanel {
  readonly title: string;
  readonly lines: readonly { readonly series: number; readonly points: readonly PlotPoint[] }[];
}

/** Panels side by side, on the same axes. */
export interface Plot {
  readonly xTitle: string;
  readonly yTitle: string;
  readonly xScale: "linear" | "log";
  readonly yScale: "linear" | "log";
  /** Whether intervals are drawn and points marked: not for dense curves. */
  readonly isMarked: boolean;
  readonly panels: readonly PlotPanel[];
}

const WIDTH = 330;
const HEIGHT = 230;
const MARGIN = { left: 50, right: 12, top: 26, bottom: 40 };
const TICKS = 5;
/** As many looks as there are colours; markers and dashes tell them apart without any. */
const LOOKS = 8;
const DASHES = ["", "7 3", "2 3", "9 3 2 3", "", "7 3", "2 3", "9 3 2 3"];

type Scale = (value: number) => number;

/** Panels as inline SVG. */
export function plotMarkup(plot: Plot): Markup {
  const points = plot.panels.flatMap(({ lines }) => lines.flatMap((line) => line.points));
  if (points.length === 0) return html`<p class="muted">Nothing was measured for this plot.</p>`;
  const xTicks = ticksOf(
    plot.xScale,
    points.map(({ x }) => x),
  );
  const yTicks = ticksOf(
    plot.yScale,
    points.flatMap(({ y, high = y, low = y }) => [low, high]),
  );
  const x = scaleOf(plot.xScale, xTicks, [MARGIN.left, WIDTH - MARGIN.right]);
  const y = scaleOf(plot.yScale, yTicks, [HEIGHT - MARGIN.bottom, MARGIN.top]);
  return html`<div class="panels">${plot.panels.map(
    (
      panel,
    ) => html`<svg class="plot" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${`${plot.yTitle}, ${panel.title}`}">
<text x="${MARGIN.left}" y="15" class="panel">${panel.title}</text>
${yTicks.map((value) => horizontal(y(value), value))}${xTicks.map((value) => tick(x(value), value))}
<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${plot.xTitle}</text>
<text transform="translate(12 ${(MARGIN.top + HEIGHT - MARGIN.bottom) / 2}) rotate(-90)" text-anchor="middle">${plot.yTitle}</text>
${panel.lines.map((line) => lineMarkup(line, { x, y, isMarked: plot.isMarked }))}
</svg>`,
  )}</div>`;
}

/** Which look stands for which name. */
export function legendMarkup(names: readonly string[]): Markup {
  return html`<ul class="legend">${names.map(
    (name, series) =>
      html`<li><svg viewBox="0 0 34 12" width="34" height="12" aria-hidden="true"><path class="line s${series % LOOKS}" d="M1 6H33" stroke-dasharray="${dashOf(series)}"/>${marker(series, 17, 6)}</svg>${name}</li>`,
  )}</ul>`;
}

function lineMarkup(
  { series, points }: PlotPanel["lines"][number],
  { x, y, isMarked }: { readonly x: Scale; readonly y: Scale; readonly isMarked: boolean },
): Markup {
  const places = points.map((point) => `${fixed(x(point.x))} ${fixed(y(point.y))}`);
  const path = html`<path class="line s${series % LOOKS}" d="M${places.join("L")}" stroke-dasharray="${dashOf(series)}"/>`;
  if (!isMarked) return path;
  return html`${path}${points.map((point) => {
    const at = x(point.x);
    const { low, high } = point;
    const bar =
      low === undefined || high === undefined
        ? undefined
        : html`<path class="bar-of s${series % LOOKS}" d="M${fixed(at)} ${fixed(y(low))}V${fixed(y(high))}"/>`;
    return html`${bar}<g><title>${point.hint}</title>${marker(series, at, y(point.y))}</g>`;
  })}`;
}

/** A form of its own for each series, about 8 across. */
function marker(series: number, x: number, y: number): Markup {
  const paths = [
    "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0-4 0Z",
    "M-3.6-3.6H3.6V3.6H-3.6Z",
    "M0-4.6L4.4 3.4H-4.4Z",
    "M0-5L5 0L0 5L-5 0Z",
  ];
  const path = paths[series % paths.length] ?? "";
  return html`<path class="mark s${series % LOOKS}" transform="translate(${fixed(x)} ${fixed(y)})" d="${path}"/>`;
}

function dashOf(series: number): string {
  return DASHES[series % LOOKS] ?? "";
}

function horizontal(at: number, value: number): Markup {
  const end = WIDTH - MARGIN.right;
  return html`<path class="grid" d="M${MARGIN.left} ${fixed(at)}H${end}"/><text x="${MARGIN.left - 5}" y="${fixed(at + 3.5)}" text-anchor="end">${numberText(value)}</text>`;
}

function tick(at: number, value: number): Markup {
  const bottom = HEIGHT - MARGIN.bottom;
  return html`<path class="axis" d="M${fixed(at)} ${bottom}v4"/><text x="${fixed(at)}" y="${bottom + 16}" text-anchor="middle">${numberText(value)}</text>`;
}

/** Round values that hold all of these between the first and the last. */
function ticksOf(kind: "linear" | "log", values: readonly number[]): number[] {
  const max = Math.max(...values);
  if (kind === "log") {
    const positive = values.filter((value) => value > 0);
    const from = Math.floor(Math.log10(Math.min(...positive)));
    const to = Math.max(from + 1, Math.ceil(Math.log10(max)));
    return Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
  }
  const min = Math.min(0, ...values);
  const step = roundStep((max - min || 1) / (TICKS - 1));
  const from = Math.floor(min / step);
  const to = Math.max(from + 1, Math.ceil(max / step));
  return Array.from({ length: to - from + 1 }, (_, index) =>
    Number(((from + index) * step).toPrecision(12)),
  );
}

/** 1, 2 or 5 times a power of ten, not below `least`. */
function roundStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10) * power;
}

function scaleOf(
  kind: "linear" | "log",
  ticks: readonly number[],
  [from, to]: readonly [number, number],
): Scale {
  const map = kind === "log" ? Math.log10 : (value: number): number => value;
  const low = map(ticks[0] ?? 0);
  const high = map(ticks.at(-1) ?? 1);
  return (value) => from + ((map(value) - low) / (high - low)) * (to - from);
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function numberText(value: number): string {
  return value >= 10_000 ? `${value / 1000}k` : String(value);
}

/** Okabe and Ito's colours, which the colour-blind tell apart; lighter ones on dark. */
export const PLOT_STYLE: Markup = trusted(`
:root { --s0: #0072b2; --s1: #d55e00; --s2: #007a5a; --s3: #b0508a; --s4: #8a6d00; --s5: #3a8fc4; --s6: #444c56; --s7: #a23b00; }
@media (prefers-color-scheme: dark) { :root { --s0: #56b4e9; --s1: #f0894a; --s2: #3fc79d; --s3: #e39ac4; --s4: #e6c229; --s5: #9fd3f5; --s6: #c3cad2; --s7: #ffb38a; } }
.panels { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 8px 14px; }
ul.notes { padding-left: 30px; } ul.notes li { margin: 2px 0; }
svg.plot { display: block; width: 100%; max-width: 400px; }
svg.plot text { fill: var(--muted); font-size: 11px; } svg.plot text.panel { fill: var(--text); font-size: 12px; font-weight: 650; }
.grid, .axis { stroke: var(--line); fill: none; } .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.bar-of { fill: none; stroke-width: 1.4; opacity: 0.6; } .mark { stroke: var(--bg); stroke-width: 1; }
${Array.from({ length: LOOKS }, (_, look) => `.line.s${look}, .bar-of.s${look} { stroke: var(--s${look}); } .mark.s${look} { fill: var(--s${look}); }`).join("\n")}
ul.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 20px; padding: 0; margin: 10px 0; font-size: 13px; }
ul.legend li { display: flex; gap: 8px; align-items: center; }
`);
