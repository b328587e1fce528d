import { elapsedMs, type Instant } from "../../environment/index.ts";
import {
  type CallMetrics,
  type DelayMetrics,
  type DelayPointMetrics,
  type EchoMetrics,
  formatPosition,
} from "../../measure/index.ts";
import { html, type Markup } from "./markup.ts";
import { table } from "./table.ts";

/** The plot, in its own units. */
const WIDTH = 760;
const HEIGHT = 130;
/** Room for what the axes say. */
const LEFT = 62;
const BOTTOM = 18;
const TOP = 8;
/** The least range of delays that is drawn, so that hundredths do not look like a change. */
const RANGE_MS_MIN = 20;

const HEARD_BY_WORDS = { caller: "bot → caller", bot: "caller → bot" } as const;

/** Delay of both directions over the call, its figures, and whose voice came back. */
export function delaySection({ delays, echoes }: CallMetrics, zero: Instant): Markup | undefined {
  if (delays.length === 0 && echoes.length === 0) return undefined;
  return html`<details class="more"><summary>Delay, drift and echo</summary>
${delayTable(delays)}${delayPlot(delays, zero)}${echoTable(echoes)}</details>`;
}

function delayTable(delays: readonly DelayMetrics[]): Markup | undefined {
  return table(
    "Mouth to ear, by correlation of both recordings",
    ["Direction", "Median", "Least to most", "Changes", "Drift", "Windows", "Not sure"],
    delays.map((each) => [
      HEARD_BY_WORDS[each.heardBy],
      `${tenths(each.medianMs)} ± ${tenths(each.uncertaintyMs)} ms`,
      `${tenths(each.minMs)} to ${tenths(each.maxMs)} ms`,
      Math.max(0, each.runs.length - 1),
      each.drift === undefined
        ? "–"
        : `${tenths(each.drift.ppm)} ± ${tenths(each.drift.uncertaintyPpm)} ppm`,
      each.points.length,
      each.unsureWindows,
    ]),
  );
}

function echoTable(echoes: readonly EchoMetrics[]): Markup | undefined {
  return table(
    "Echo",
    ["Whose voice", "Comes back after", "Quieter by", "Found in"],
    echoes.map((each) => [
      `the ${each.party}'s`,
      `${tenths(each.delayMs)} ± ${tenths(each.uncertaintyMs)} ms`,
      `${tenths(each.lossDb)} dB`,
      `${each.windows} of ${each.windowsWithSound} s`,
    ]),
  );
}

/** Where a window lies in the plot. */
interface Scale {
  x(at: Instant): number;
  y(delayMs: number): number;
}

function delayPlot(delays: readonly DelayMetrics[], zero: Instant): Markup | undefined {
  const points = delays.flatMap((each) => each.points);
  const first = points[0];
  if (first === undefined) return undefined;
  let [fromAt, toAt, leastMs, mostMs] = [first.at, first.at, first.delayMs, first.delayMs];
  for (const { at, delayMs } of points) {
    if (at < fromAt) fromAt = at;
    if (at > toAt) toAt = at;
    leastMs = Math.min(leastMs, delayMs);
    mostMs = Math.max(mostMs, delayMs);
  }
  const spare = Math.max(0, RANGE_MS_MIN - (mostMs - leastMs)) / 2;
  [leastMs, mostMs] = [leastMs - spare, mostMs + spare];
  const widthMs = Math.max(1, elapsedMs(fromAt, toAt));
  const scale: Scale = {
    x: (at) => LEFT + (elapsedMs(fromAt, at) / widthMs) * (WIDTH - LEFT - 4),
    y: (delayMs) => TOP + ((mostMs - delayMs) / (mostMs - leastMs)) * (HEIGHT - TOP - BOTTOM),
  };
  const label = `Delay over the call, ${tenths(leastMs)} to ${tenths(mostMs)} ms; the table above sums it up`;
  return html`<svg class="delays" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}">
<text x="${LEFT - 6}" y="${TOP + 8}" text-anchor="end">${tenths(mostMs)} ms</text>
<text x="${LEFT - 6}" y="${HEIGHT - BOTTOM}" text-anchor="end">${tenths(leastMs)} ms</text>
<text x="${LEFT}" y="${HEIGHT - 3}">${formatPosition(elapsedMs(zero, fromAt))}</text>
<text x="${WIDTH - 4}" y="${HEIGHT - 3}" text-anchor="end">${formatPosition(elapsedMs(zero, toAt))}</text>
<path class="axis" d="M${LEFT} ${TOP}V${HEIGHT - BOTTOM}H${WIDTH - 4}"/>
${delays.map((each) => trackOf(each, scale))}</svg>
<div class="small muted">${delays.map(
    ({ heardBy }) =>
      html`<span class="part"><span class="key of-${speakerOf(heardBy)}" aria-hidden="true"></span>${HEARD_BY_WORDS[heardBy]}</span> `,
  )}one point for each window of 1 s</div>`;
}

function trackOf({ heardBy, runs, points }: DelayMetrics, scale: Scale): Markup {
  const lines = runs.map(
    ({ fromAt, toAt, delayMs }) =>
      `M${place(scale.x(fromAt))} ${place(scale.y(delayMs))}H${place(scale.x(toAt))}`,
  );
  return html`<g class="of-${speakerOf(heardBy)}"><path d="${lines.join("")}"/>${points.map(
    (point) => dotOf(point, scale),
  )}</g>`;
}

function dotOf({ at, delayMs }: DelayPointMetrics, scale: Scale): Markup {
  return html`<circle cx="${place(scale.x(at))}" cy="${place(scale.y(delayMs))}" r="1.8"/>`;
}

/** Colours are those of the speaker, as in the waveforms. */
function speakerOf(heardBy: DelayMetrics["heardBy"]): string {
  return heardBy === "caller" ? "bot" : "caller";
}

function place(value: number): string {
  return value.toFixed(1);
}

function tenths(value: number): string {
  return value.toFixed(1);
}
