import type { Fact } from "../../timeline/index.ts";
import { html, type Markup, trusted } from "../html/markup.ts";
import { PALETTE } from "../html/palette.ts";
import { redactSip } from "../redact.ts";
import { ladderOf } from "./ladder.ts";
import type { PlacedRow } from "./ladder-layout.ts";
import { LADDER_STYLE } from "./ladder-style.ts";
import { drawLadder } from "./ladder-svg.ts";

const PANEL_WIDTH = 700;
const LINE = 14;
const LINE_LENGTH = 104;

/** What XML 1.0 §2.2 forbids, and a malformed message may hold: one of these hides the whole picture. */
const NOT_XML =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the point.
  // oxlint-disable-next-line no-control-regex -- Control characters are the point.
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/gu;

/** Only in a file of its own: a message's text stands beside it while it is pointed at or focused. */
const FILE_STYLE = `
svg { background: var(--bg); font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
.panel { visibility: hidden; }
.row { outline: none; cursor: pointer; }
.hit { fill: transparent; } .row:hover .hit, .row:focus .hit { fill: var(--panel); }
.row:hover .panel, .row:focus .panel { visibility: visible; }
.panel rect { fill: var(--panel); stroke: var(--line); }
.panel text { font: 11.5px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: var(--text); white-space: pre; }
`;

/**
 * `ladder.svg`: the call's signalling as one picture that loads nothing and runs nothing. Pointing at
 * a message, or choosing it by Tab, shows its text.
 */
export function renderLadderFile(facts: readonly Fact[]): string | undefined {
  const ladder = ladderOf(facts);
  const zero = ladder?.rows.find(({ kind }) => kind === "message")?.at;
  if (ladder === undefined || zero === undefined) return undefined;
  const { width, height, content, rows } = drawLadder({ ladder, zero });
  const panels = rows.map((row) => panelOf(row, { x: width, height }));
  const tallest = Math.max(height, ...panels.map(({ bottom }) => bottom + 8));
  const label = `SIP ladder: ${rows.length} messages and events`;
  return html`<svg xmlns="http://www.w3.org/2000/svg" class="ladder" width="${width + PANEL_WIDTH}" height="${tallest}" viewBox="0 0 ${width + PANEL_WIDTH} ${tallest}" role="img" aria-label="${label}">
<style>${trusted(PALETTE + LADDER_STYLE + FILE_STYLE)}</style>
${panels.map(({ markup }) => markup)}
<g pointer-events="none">${content}</g>
</svg>
`.markup.replaceAll(NOT_XML, "\ufffd");
}

function panelOf(
  { row, y, endY }: PlacedRow,
  place: { readonly x: number; readonly height: number },
): { readonly markup: Markup | undefined; readonly bottom: number } {
  if (row.kind === "note") return { markup: undefined, bottom: 0 };
  const lines = wrapped(redactSip(row.fact.text).trimEnd());
  const panelHeight = lines.length * LINE + 16;
  const top = Math.max(8, Math.min(y - 24, place.height - panelHeight - 8));
  const markup = html`<g class="row" tabindex="0"><rect class="hit" x="4" y="${y - 20}" width="${place.x - 20}" height="${endY - y + 40}" rx="4" />
<g class="panel"><rect x="${place.x - 10}" y="${top}" width="${PANEL_WIDTH}" height="${panelHeight}" rx="6" />
<text>${lines.map((line, index) => html`<tspan x="${place.x}" y="${top + 18 + index * LINE}">${line}</tspan>`)}</text></g></g>
`;
  return { markup, bottom: top + panelHeight };
}

function wrapped(text: string): string[] {
  return text
    .split(/\r?\n/u)
    .flatMap((line) => (line === "" ? [" "] : (line.match(/.{1,104}/gu) ?? [" "])))
    .map((line) => line.slice(0, LINE_LENGTH));
}
