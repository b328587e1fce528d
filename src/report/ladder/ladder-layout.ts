import { elapsedMs, type Instant } from "../../environment/index.ts";
import type { Ladder, LadderMessage, LadderRow } from "./ladder.ts";

/** Heights, in pixels. */
const TOP = 64;
const MESSAGE_ROW = 44;
const NOTE_ROW = 22;
/** Below a message, whose second line needs room. */
const NOTE_BELOW_MESSAGE = 38;
const BOTTOM = 26;
/** An arrow that is seen at both ends slants at least so much. */
const SLANT_MIN = 9;
const PAUSE_ROOM = 22;
/** A longer pause between two rows is written beside them. */
const PAUSE_MS = 1500;
/** A message that took longer is drawn as long as it took, whatever happens elsewhere meanwhile. */
const SHORT_TRANSIT_MS = 50;
/** A storm of messages is shown by its beginning and its end. */
const ROWS_MAX = 300;
const ROWS_AT_END = 60;

/** A row and where it stands. */
export interface PlacedRow {
  readonly row: LadderRow;
  readonly y: number;
  /** Where the arrow of a message ends. */
  readonly endY: number;
}

/** A stretch in which nothing happened, or which is left out. */
export interface LadderGap {
  readonly y: number;
  readonly text: string;
}

/** Where everything stands. */
export interface LadderLayout {
  readonly rows: readonly PlacedRow[];
  readonly gaps: readonly LadderGap[];
  readonly height: number;
  /** Where an instant stands, between the rows around it. */
  yOf(at: Instant): number;
}

interface Mark {
  readonly at: Instant;
  readonly index: number;
  readonly isEnd: boolean;
}

/**
 * Rows one below the other in the order of their instants. Time is not to scale: a call may have ten
 * messages in a millisecond and none for a minute; but later is always lower, at either end.
 */
export function layOut(ladder: Ladder): LadderLayout {
  const { rows, omitted } = shortened(ladder.rows);
  const gaps: LadderGap[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const points: { readonly at: Instant; readonly y: number }[] = [];
  let y = TOP - MESSAGE_ROW;
  let labelY = y;
  let before = rows[0]?.at;
  for (const { at, index, isEnd } of marksOf(rows)) {
    const pausedMs = before === undefined ? 0 : elapsedMs(before, at);
    before = at;
    if (pausedMs > PAUSE_MS || (index === omitted?.index && !isEnd)) {
      y = Math.max(y, labelY) + PAUSE_ROOM;
      gaps.push({ y, text: index === omitted?.index ? omitted.text : pauseText(pausedMs) });
      labelY = y - PAUSE_ROOM + 4;
    }
    if (isEnd) {
      y = Math.max(y + growth(pausedMs), (starts[index] as number) + SLANT_MIN);
      ends[index] = y;
    } else {
      y = Math.max(y + growth(pausedMs), labelY + roomBetween(rows[index - 1], rows[index]));
      labelY = y;
      starts[index] = y;
    }
    points.push({ at, y });
  }
  return {
    rows: rows.map((row, index) => ({
      row,
      y: starts[index] as number,
      endY: ends[index] ?? (starts[index] as number),
    })),
    gaps,
    height: Math.max(y, labelY) + BOTTOM,
    yOf: (at) => points.findLast((point) => point.at <= at)?.y ?? TOP,
  };
}

function roomBetween(above: LadderRow | undefined, below: LadderRow | undefined): number {
  if (below?.kind !== "note") return MESSAGE_ROW;
  return above?.kind === "message" ? NOTE_BELOW_MESSAGE : NOTE_ROW;
}

/** More room for more time, but ever less of it. */
function growth(ms: number): number {
  return Math.min(16, 4 * Math.log10(1 + ms));
}

function pauseText(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

/**
 * Beginnings and ends in the order in which they are drawn: that of their instants, but a message
 * that was quick ends beside where it began, unless something happened in between where it arrived.
 */
function marksOf(rows: Ladder["rows"]): Mark[] {
  return rows
    .flatMap((row, index): Mark[] => {
      const start = { at: row.at, index, isEnd: false };
      if (row.kind === "note" || row.arrivedAt === undefined) return [start];
      const isQuick = elapsedMs(row.at, row.arrivedAt) <= SHORT_TRANSIT_MS;
      const at = isQuick && !isOvertaken(row, row.arrivedAt, rows) ? row.at : row.arrivedAt;
      return [start, { at, index, isEnd: true }];
    })
    .toSorted((a, b) => a.at - b.at || a.index - b.index);
}

/** Whether another message leaves or reaches the message's destination while it is under way. */
function isOvertaken(message: LadderMessage, arrivedAt: Instant, rows: Ladder["rows"]): boolean {
  const isBetween = (at: Instant | undefined): boolean =>
    at !== undefined && message.at < at && at < arrivedAt;
  return rows.some((row) => {
    if (row === message || row.kind === "note") return false;
    return (
      (row.from === message.to && isBetween(row.at)) ||
      (row.to === message.to && isBetween(row.arrivedAt))
    );
  });
}

function shortened(rows: Ladder["rows"]): {
  readonly rows: Ladder["rows"];
  readonly omitted?: { readonly index: number; readonly text: string };
} {
  if (rows.length <= ROWS_MAX) return { rows };
  const index = ROWS_MAX - ROWS_AT_END;
  const count = rows.length - ROWS_MAX;
  return {
    rows: [...rows.slice(0, index), ...rows.slice(-ROWS_AT_END)],
    omitted: { index, text: `${count} more, see the timeline` },
  };
}
