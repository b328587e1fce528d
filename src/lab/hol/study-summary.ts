import { html, type Markup } from "../../report/index.ts";
import type { CellSummary } from "./analysis.ts";
import { type Series, seriesOf } from "./series.ts";
import { msText, rateText, shownP95 } from "./study-text.ts";
import { percentOf } from "./sweep.ts";

const COLUMNS = [
  "response p50, ms",
  "response p95, ms",
  "stop p50, ms",
  "stalls ≥ 100 ms/min",
  "gaps/min",
];

/** What loss changed on the shortest and the longest way: least loss → most. */
export function summarySection(cells: readonly CellSummary[]): Markup | undefined {
  const rows = seriesOf(cells).flatMap(rowsOf);
  if (rows.length === 0) return undefined;
  return html`<h2>In short</h2>
<div class="scroll"><table class="figures">
<thead><tr>${["", "round trip", "loss", ...COLUMNS].map((name) => html`<th scope="col">${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((text) => html`<td>${text}</td>`)}</tr>`)}</tbody></table></div>`;
}

function rowsOf({ name, cells }: Series): string[][] {
  const roundTrips = cells.map(({ cell }) => cell.roundTripMs);
  const ends = new Set([Math.min(...roundTrips), Math.max(...roundTrips)]);
  return [...ends].flatMap((roundTripMs) => {
    const own = cells.filter(({ cell }) => cell.roundTripMs === roundTripMs);
    const least = own[0];
    const most = own.at(-1);
    if (least === undefined || most === undefined || least === most) return [];
    const change = (textOf: (cell: CellSummary) => string): string =>
      `${textOf(least)} → ${textOf(most)}`;
    return [
      [
        name,
        `${roundTripMs} ms`,
        `${change(({ cell }) => String(percentOf(cell.lossRatio)))} %`,
        change(({ responseLatencyMs: s }) => msText(s?.p50)),
        change(({ responseLatencyMs: s }) => msText(shownP95(s))),
        change(({ bargeInStopMs: s }) => msText(s?.p50)),
        change(({ pathStallsPerMinute: rate }) => rateText(rate?.perMinute)),
        change(({ gapsPerMinute: rate }) => rateText(rate?.perMinute)),
      ],
    ];
  });
}
