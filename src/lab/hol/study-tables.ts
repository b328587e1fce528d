import type { Interval } from "../../measure/index.ts";
import { type Content, html, type Markup } from "../../report/index.ts";
import {
  AGREEMENT_FIGURES,
  type Agreement,
  agreedOf,
  type Estimate,
  type FigurePair,
} from "./agreement.ts";
import type { CellSummary, Share } from "./analysis.ts";
import type { Comparison } from "./comparison.ts";
import { carrierName } from "./series.ts";
import { intervalText, msText, rateText, shareText, shownP95, shownP99 } from "./study-text.ts";
import { type Cell, lossWords } from "./sweep.ts";

const NETWORK_COLUMNS = ["transport", "loss", "round trip", "pre-buffer"];

/** A row for each cell, with intervals. */
export function cellsTable(cells: readonly CellSummary[]): Markup {
  const columns = [
    "questions",
    "missed",
    "response p50, ms",
    "p95",
    "p99",
    "stop p50, ms",
    "not yielded",
    "stalls ≥ 100 ms/min",
    "gaps/min",
    "gap ms/min",
    "playout stalls/min",
    "packets lost",
    "TCP sent again",
    "RTO",
    "causes of stalls",
    "calls",
  ];
  return wideTable(
    columns,
    cells.map((cell) => [...networkOf(cell.cell), ...figuresOf(cell), callsOf(cell)]),
  );
}

function figuresOf(cell: CellSummary): Content[] {
  const { responseLatencyMs: response, bargeInStopMs: stop } = cell;
  const rates = [
    cell.pathStallsPerMinute,
    cell.gapsPerMinute,
    cell.gapMsPerMinute,
    cell.playoutStallsPerMinute,
  ];
  return [
    cell.turns,
    ratioText(cell.missed),
    withInterval(msText(response?.p50), response?.p50Interval),
    withInterval(msText(shownP95(response)), response?.p95Interval),
    withInterval(msText(shownP99(response)), response?.p99Interval),
    withInterval(msText(stop?.p50), stop?.p50Interval),
    shareText(cell.notYielded),
    ...rates.map((rate) => withInterval(rateText(rate?.perMinute), rate?.interval, 2)),
    ...pathOf(cell),
  ];
}

/** What the network did to packets, TCP about it, and why bytes stalled. */
function pathOf({ packets, tcp, stallCauses }: CellSummary): string[] {
  const causes = [...stallCauses].map(([cause, share]) => `${cause} ${percent(share)}`);
  return [
    percentOfAll(packets.lost, packets.offered),
    tcp === undefined ? "–" : percentOfAll(tcp.retransmissions, tcp.segments),
    tcp === undefined ? "–" : String(tcp.timeouts),
    causes.length === 0 ? "–" : causes.join(", "),
  ];
}

function percentOfAll(count: number, total: number): string {
  return total === 0 ? "–" : percent(count / total);
}

/** TCP against UDP, question by question. */
export function comparisonsTable(comparisons: readonly Comparison[]): Markup | undefined {
  if (comparisons.length === 0) return undefined;
  const columns = ["pairs", "response p50, ms", "p95", "max", "stop p50, ms"];
  return html`<h2>TCP minus UDP</h2>
<p class="small">The difference for the same question of the same call: above 0, TCP was later.</p>
${wideTable(
  columns,
  comparisons.map(({ tcp, responseLatencyMs: response, bargeInStopMs: stop }) => [
    ...networkOf(tcp),
    response.n,
    withInterval(msText(response.p50), response.p50Interval),
    withInterval(msText(shownP95(response)), response.p95Interval),
    msText(response.max),
    withInterval(msText(stop?.p50), stop?.p50Interval),
  ]),
)}`;
}

/** What two cells each came to that should tell the same, figure by figure. */
export function agreementTable(
  agreements: readonly Agreement[],
  { title, names }: { readonly title: string; readonly names: readonly [string, string] },
): Markup | undefined {
  if (agreements.length === 0) return undefined;
  const columns = AGREEMENT_FIGURES.map(({ name, unit }) => `${name}, ${unit}`);
  const { agreed, compared } = agreedOf(agreements);
  return html`<h2>${title}</h2>
<p class="small">${names[0]} | ${names[1]}. Of ${compared} pairs of figures with intervals, ${agreed} have intervals that overlap (times: or are apart by no more than a packet of 20 ms, as phases between packets differ); the others are marked.</p>
${wideTable(
  columns,
  agreements.map(({ one, figures }) => [
    ...networkOf(one.cell),
    ...AGREEMENT_FIGURES.map(({ name }) => pairText(figures.find((pair) => pair.name === name))),
  ]),
)}`;
}

function pairText(pair: FigurePair | undefined): Content {
  if (pair === undefined) return "–";
  const { unit, one, other, agrees } = pair;
  const digits = unit === "ms" ? 0 : 2;
  const text = ({ value, interval }: Estimate): Content =>
    withInterval(value.toFixed(digits), interval, digits);
  const both = html`${text(one)} | ${text(other)}`;
  return agrees === false ? html`<strong>${both} ≠</strong>` : both;
}

function wideTable(columns: readonly string[], rows: readonly (readonly Content[])[]): Markup {
  return html`<div class="scroll tall"><table class="figures">
<thead><tr>${[...NETWORK_COLUMNS, ...columns].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

function networkOf(cell: Cell): Content[] {
  return [
    carrierName(cell),
    lossWords(cell),
    `${cell.roundTripMs} ms`,
    cell.preBufferMs === 0 ? "none" : `${cell.preBufferMs} ms`,
  ];
}

function callsOf({ calls, failed, unhealthy }: CellSummary): string {
  const codes = [...new Set(failed)].join(", ");
  return [
    String(calls),
    ...(failed.length === 0 ? [] : [`${failed.length} failed: ${codes}`]),
    ...(unhealthy === 0 ? [] : [`${unhealthy} left out`]),
  ].join("; ");
}

function withInterval(text: string, interval: Interval | undefined, digits = 0): Content {
  if (interval === undefined) return text;
  return html`${text}<span class="muted">${intervalText(interval, digits)}</span>`;
}

function ratioText(share: Share): Content {
  const { interval } = share;
  if (interval === undefined) return shareText(share);
  const { low, high } = interval;
  return html`${shareText(share)}<span class="muted"> [${percent(low)}, ${percent(high)}]</span>`;
}

function percent(ratio: number): string {
  return `${(100 * ratio).toFixed(1)} %`;
}
