import { after, type Instant } from "../environment/index.ts";
import type { BotSegment, BotTurn, CallerTurn } from "./call-metrics.ts";
import { isDue } from "./caller-turns.ts";
import type { EdgeDisagreement } from "./confirmed-pieces.ts";
import { optional } from "./optional.ts";
import type { SpeechSpan } from "./recording.ts";
import type { ResponseTrack } from "./responses.ts";
import { betweenMs } from "./time-spans.ts";

/** Pauses from here on separate two pieces: what stale speech is told apart by. */
export const PIECE_GAP_MS = 100;
/** Pauses below this are inside a word group: stops, commas. */
export const SEGMENT_GAP_MS = 300;
/** Where nothing is known of the bot's inside, pauses below this are inside one answer. */
const TURN_GAP_MS = 1000;

/** How far a piece may precede the playout that it is put down to: uncertainty of the delivery. */
const ATTRIBUTION_TOLERANCE_MS = 50;

/** A piece of heard speech, no pause of 100 ms within it, and the response it belongs to. */
export interface SpeechPiece extends SpeechSpan {
  readonly responseId?: string;
  readonly disagreementMs?: EdgeDisagreement;
}

/**
 * Puts each piece down to the response whose playout had last begun when the piece left the bot.
 *
 * @param deliveryMs estimate of bot's departure → heard.
 */
export function attribute(
  spans: readonly SpeechPiece[],
  responses: readonly ResponseTrack[],
  deliveryMs: number,
): SpeechPiece[] {
  const started = responses.filter((track) => track.playoutStartedAt !== undefined);
  return spans.map((span) => {
    const leftAt = after(span.startAt, ATTRIBUTION_TOLERANCE_MS - deliveryMs);
    const track = started.findLast(({ playoutStartedAt }) => (playoutStartedAt ?? 0) <= leftAt);
    return track === undefined ? span : { ...span, responseId: track.responseId };
  });
}

/** Joins pieces of one response across pauses below 300 ms. */
export function segmentsOf(pieces: readonly SpeechPiece[]): BotSegment[] {
  const segments: BotSegment[] = [];
  for (const piece of pieces) {
    const last = segments.at(-1);
    if (last !== undefined && joins(last, piece)) {
      segments[segments.length - 1] = joined(last, piece);
    } else {
      segments.push(piece);
    }
  }
  return segments;
}

/** The onset is that of the first piece, the offset that of the last, and so are their doubts. */
function joined(last: BotSegment, piece: SpeechPiece): BotSegment {
  const { disagreementMs: before, ...rest } = last;
  const disagreementMs = {
    ...optional("onset", before?.onset),
    ...optional("offset", piece.disagreementMs?.offset),
  };
  return {
    ...rest,
    endAt: piece.endAt,
    uncertaintyMs: Math.max(last.uncertaintyMs, piece.uncertaintyMs),
    ...(Object.keys(disagreementMs).length === 0 ? {} : { disagreementMs }),
  };
}

/**
 * Joins segments to turns. Segments of one response are one turn, those of two are two; where the
 * responses are not known, a turn ends at a pause of 1,000 ms or one in which the caller finished.
 */
export function botTurnsOf(
  segments: readonly BotSegment[],
  callerTurns: readonly CallerTurn[],
): BotTurn[] {
  const turns: BotTurn[] = [];
  for (const segment of segments) {
    const last = turns.at(-1);
    const previous = last?.segments.at(-1);
    if (last !== undefined && previous !== undefined && same(previous, segment, callerTurns)) {
      turns[turns.length - 1] = {
        ...last,
        endAt: segment.endAt,
        segments: [...last.segments, segment],
      };
    } else {
      turns.push(turnOf(segment));
    }
  }
  return turns;
}

function joins(last: BotSegment, piece: SpeechPiece): boolean {
  return (
    last.responseId === piece.responseId && betweenMs(last.endAt, piece.startAt) < SEGMENT_GAP_MS
  );
}

function same(previous: BotSegment, next: BotSegment, callerTurns: readonly CallerTurn[]): boolean {
  if (previous.responseId !== undefined && next.responseId !== undefined) {
    return previous.responseId === next.responseId;
  }
  const pauseMs = betweenMs(previous.endAt, next.startAt);
  return pauseMs < TURN_GAP_MS && !callerFinishedWithin(previous.endAt, next.startAt, callerTurns);
}

function callerFinishedWithin(
  from: Instant,
  to: Instant,
  callerTurns: readonly CallerTurn[],
): boolean {
  return callerTurns.some((turn) => isDue(turn) && from <= turn.offsetAt && turn.offsetAt <= to);
}

function turnOf(segment: BotSegment): BotTurn {
  const { startAt, endAt, responseId } = segment;
  return {
    startAt,
    endAt,
    segments: [segment],
    ...(responseId === undefined ? {} : { responseId }),
  };
}
