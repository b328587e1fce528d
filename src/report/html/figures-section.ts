import {
  type Figure,
  formatMs,
  type Interval,
  type Rate,
  shownStatistics,
} from "../../measure/index.ts";
import type { CalibrationNote } from "../calibration-note.ts";
import { SHARE_EVENTS_MIN } from "../figure-lines.ts";
import { html, type Markup } from "./markup.ts";

/** The table of figures over all calls; each title leads to its definition. */
export function figuresSection(
  figures: readonly Figure[],
  rates: readonly Rate[],
  calibration?: CalibrationNote,
): Markup {
  const shown = figures.filter(
    ({ statistics, discarded }) => statistics !== undefined || discarded.length > 0,
  );
  if (shown.length === 0) return html`<h2>Figures</h2><p class="muted">None were taken.</p>`;
  return html`<h2 id="figures">Figures</h2>
<div class="scroll"><table>
<thead><tr><th scope="col">Figure</th><th scope="col" class="n">n</th>
<th scope="col" class="n">p50</th><th scope="col" class="n">p95</th>
<th scope="col" class="n">p99</th><th scope="col" class="n">max</th>
<th scope="col">Not counted</th></tr></thead>
<tbody>${shown.map(figureRow)}</tbody></table></div>
${calibrationNotes(calibration)}
${ratesTable(rates.filter(({ total, uncertain }) => total > 0 || uncertain !== undefined))}`;
}

/** How far the figures may be trusted on this machine. */
function calibrationNotes(calibration: CalibrationNote | undefined): Markup | undefined {
  if (calibration === undefined) return undefined;
  const { lines, warnings } = calibration;
  return html`<ul class="small muted" id="calibration">${[...lines, ...warnings].map(
    (line) => html`<li>${line}</li>`,
  )}</ul>`;
}

/** What each figure means. */
export function definitionsSection(figures: readonly Figure[]): Markup {
  return html`<h2 id="definitions">Definitions</h2>
<p class="small muted">“Heard” figures come from the decoded audio at the caller's socket, after its
jitter buffer. “Claimed” figures come from the AI's own events. All instants are on one monotonic
clock. Percentiles interpolate linearly; below each stands its 95 % interval, a bootstrap over the values
shown, seeded by the run, where there are values enough for one. p95 takes 20 values, p99 takes 100: of
fewer they would be the maximum again. docs/measurements.md of Sidetone has the long form, with error bounds.</p>
<dl class="definitions">${figures.map(
    ({ id, title, definition }) => html`<dt id="def-${id}">${title}</dt><dd>${definition}</dd>`,
  )}</dl>`;
}

function figureRow({ id, title, definition, statistics, discarded }: Figure): Markup {
  const shown = statistics && shownStatistics(statistics);
  return html`<tr><th scope="row"><a href="#def-${id}" title="${definition}">${title}</a></th>
<td class="n">${statistics?.n ?? 0}</td>${msCell(shown?.p50, shown?.p50Interval)}
${msCell(shown?.p95, shown?.p95Interval)}${msCell(shown?.p99, shown?.p99Interval)}
${msCell(shown?.max)}
<td class="small muted">${discarded.map(({ reason, count }) => `${count} × ${reason}`).join(", ")}</td></tr>`;
}

/** A figure, and below it the 95 % interval where there were values enough for one. */
function msCell(ms: number | undefined, interval?: Interval): Markup {
  const range =
    interval === undefined
      ? undefined
      : html`<br><span class="small muted">${formatMs(interval.low)} – ${formatMs(interval.high)}</span>`;
  return html`<td class="n">${ms === undefined ? "–" : formatMs(ms)}${range}</td>`;
}

function ratesTable(rates: readonly Rate[]): Markup | undefined {
  if (rates.length === 0) return undefined;
  return html`<div class="scroll gap"><table>
<thead><tr><th scope="col">Rate</th><th scope="col" class="n">count</th>
<th scope="col" class="n">share</th><th scope="col" class="n">95 % interval</th></tr></thead>
<tbody>${rates.map(
    ({ title, count, total, uncertain, interval }) => html`<tr><th scope="row">${title}</th>
<td class="n">${count} of ${total}${uncertain === undefined ? undefined : html` <span class="muted">(${String(uncertain)} uncertain)</span>`}</td>
<td class="n">${total < SHARE_EVENTS_MIN ? "n < 10" : percent(count / total)}</td>
<td class="n muted">${interval === undefined ? "–" : `${percent(interval.low)} – ${percent(interval.high)}`}</td></tr>`,
  )}</tbody></table></div>`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
