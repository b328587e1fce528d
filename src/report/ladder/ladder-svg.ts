import { elapsedMs, type Instant } from "../../environment/index.ts";
import { formatPosition } from "../../measure/index.ts";
import { summariseMessage } from "../../sip-syntax/index.ts";
import { html, type Markup } from "../html/markup.ts";
import type { Ladder, LadderMessage } from "./ladder.ts";
import { type LadderLayout, layOut, type PlacedRow } from "./ladder-layout.ts";
import { labelOf, tooltipOf, underlineOf } from "./message-label.ts";
import type { LadderNote } from "./notes.ts";

const LEFT = 168;
/** Instants stand left of this, transit times between this and the lifeline. */
const TIMES = LEFT - 70;
const COLUMN = 400;
const RIGHT = 90;
/** A steeper arrow has its label near its beginning, out of the way of what it crosses. */
const STEEP = 20;

/** How a ladder is drawn. */
export interface LadderDrawing {
  readonly ladder: Ladder;
  /** Instants are shown from here. */
  readonly zero: Instant;
  /** The address of a message's text on the page, where the ladder has a page around it. */
  readonly linkTo?: (message: LadderMessage) => string;
}

/** A ladder's size, and its drawing without the `svg` element around it. */
export interface DrawnLadder {
  readonly width: number;
  readonly height: number;
  readonly content: Markup;
  readonly rows: readonly PlacedRow[];
}

/** Draws lifelines, media, messages and notes; classes only, whoever embeds it brings the style. */
export function drawLadder(drawing: LadderDrawing): DrawnLadder {
  const { ladder } = drawing;
  const layout = layOut(ladder);
  const content = html`${ladder.participants.map(({ role, address }, place) => {
    const x = xOf(place);
    return html`<text class="who" x="${x}" y="16" text-anchor="middle">${role}</text>
<text class="under" x="${x}" y="31" text-anchor="middle">${address}</text>
<line class="life" x1="${x}" y1="38" x2="${x}" y2="${layout.height - 6}" />`;
  })}
${ladder.media.map((media) => mediaBand(media, layout))}
${layout.gaps.map(
  ({ y, text }) =>
    html`<text class="under" x="${TIMES}" y="${y + 4}" text-anchor="end">⋮ ${text}</text>`,
)}
${layout.rows.map((placed) =>
  placed.row.kind === "message"
    ? messageArrow(placed, placed.row, drawing)
    : noteMark(placed.y, placed.row, drawing),
)}`;
  const width = LEFT + COLUMN * (ladder.participants.length - 1) + RIGHT;
  return { width, height: layout.height, content, rows: layout.rows };
}

function xOf(place: number): number {
  return LEFT + COLUMN * Math.max(0, place);
}

function mediaBand({ place, from, to }: Ladder["media"][number], layout: LadderLayout): Markup {
  const [x, top] = [xOf(place), layout.yOf(from)];
  return html`<line class="media" x1="${x}" y1="${top}" x2="${x}" y2="${Math.max(top + 4, layout.yOf(to))}" />`;
}

function messageArrow(
  { y, endY }: PlacedRow,
  message: LadderMessage,
  { zero, linkTo }: LadderDrawing,
): Markup {
  const [from, to] = [xOf(message.from), xOf(message.to)];
  // A lost message is seen to leave; it ends midway.
  const tipX = message.isLost ? (from + to) / 2 : to;
  const tipY = message.isLost ? y + (endY - y) / 2 + 6 : endY;
  const share = endY - y > STEEP || message.isLost ? 0.27 : 0.5;
  const [labelX, labelY] = [from + (to - from) * share, y + (endY - y) * share];
  const again = message.fact.retransmission === true ? " again" : "";
  const summary = summariseMessage(message.fact.text);
  const drawn = html`<title>${tooltipOf(message, summary)}</title>
<text class="at" x="${TIMES}" y="${y + 4}" text-anchor="end">${formatPosition(elapsedMs(zero, message.at))}</text>
<text class="label" x="${labelX}" y="${labelY - (share === 0.5 ? 9 : 12)}" text-anchor="middle">${labelOf(message)}</text>
<line class="arrow${again}${message.isLost ? " lost" : ""}" x1="${from}" y1="${y}" x2="${tipX}" y2="${tipY}" />
${message.isLost ? cross(tipX, tipY) : head(from, { x: tipX, y: tipY }, y)}
<text class="under" x="${labelX}" y="${labelY + (message.isLost ? 22 : 15)}" text-anchor="middle">${underlineOf(message, summary)}</text>${transit(message, { x: to, y: endY }, from)}`;
  return linkTo === undefined ? drawn : html`<a class="row" href="${linkTo(message)}">${drawn}</a>`;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function head(fromX: number, tip: Point, fromY: number): Markup {
  const angle = (Math.atan2(tip.y - fromY, tip.x - fromX) * 180) / Math.PI;
  return html`<path class="head" transform="translate(${tip.x} ${tip.y}) rotate(${angle.toFixed(1)})" d="M0 0 l-9 -4 v8 z" />`;
}

function cross(x: number, y: number): Markup {
  return html`<path class="cross" d="M${x - 5} ${y - 5} l10 10 m0 -10 l-10 10" />`;
}

/** How long it was under way, beside the end at which it arrived. */
function transit(message: LadderMessage, tip: Point, fromX: number): Markup | undefined {
  if (message.arrivedAt === undefined) return undefined;
  const isRightward = tip.x >= fromX;
  const ms = elapsedMs(message.at, message.arrivedAt);
  return html`
<text class="under" x="${tip.x + (isRightward ? 8 : -8)}" y="${tip.y + 4}" text-anchor="${isRightward ? "start" : "end"}">+${ms.toFixed(ms < 10 ? 1 : 0)} ms</text>`;
}

function noteMark(y: number, note: LadderNote, { zero }: LadderDrawing): Markup {
  const x = xOf(note.place);
  return html`<text class="at" x="${TIMES}" y="${y + 4}" text-anchor="end">${formatPosition(elapsedMs(zero, note.at))}</text>
<circle class="${note.tone}" cx="${x}" cy="${y}" r="3.5" />
<text class="note ${note.tone}" x="${note.place === 0 ? x + 10 : x - 10}" y="${y + 4}" text-anchor="${note.place === 0 ? "start" : "end"}">${note.text}</text>`;
}
