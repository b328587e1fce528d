import type { Instant } from "../environment/index.ts";
import type { Fact, PlayoutFact } from "../timeline/index.ts";
import type { QualityMetrics, TempoMetrics } from "./call-quality.ts";
import { factsOf } from "./facts-of.ts";
import { optional } from "./optional.ts";
import { betweenMs, roundMs, type TimeSpan } from "./time-spans.ts";

/** A time in which the bot had nothing to play of a response, though more of it was to come. */
export interface StallMetrics extends TimeSpan {
  readonly responseId: string;
  readonly ms: number;
  /** Filled with more than silence; missing where stalls are not concealed. */
  readonly concealedMs?: number;
}

/** How steadily the AI's speech could be played into the call. */
export interface PlayoutMetrics {
  /** In the order of their beginnings. */
  readonly stalls: readonly StallMetrics[];
  readonly stallMsMax: number;
  /** Stalls in a minute of the bot's speech; 0 where it did not speak. */
  readonly stallsPerMinute: number;
  /** Of stalls, what was silence. */
  readonly gapMs: number;
  /** Speech of the AI that was played. */
  readonly playedMs: number;
  /** By how much later than it could have a response began, by the pre-buffer. */
  readonly heldMsMean: number;
  readonly heldMsMax: number;
  /** By how much it took longer, spoken slower. */
  readonly stretchedMs: number;
}

/** So long after a stall a hurried stretch is taken for its consequence. */
const CATCH_UP_WITHIN_MS = 3000;
/** What is slower than this is no hurry: an adaptive buffer trims by as much without a stall. */
const HURRIED_RATIO_MIN = 1.02;

/** Stalls, holds and slower speech, from the playout facts of the bot's bridge. */
export function measurePlayout(playout: readonly PlayoutFact[]): PlayoutMetrics {
  const stalls = stallsOf(playout);
  const held = playout.flatMap(({ heldMs }) => (heldMs === undefined ? [] : [heldMs]));
  const playedMs = playedIn(playout);
  const minutes = playedMs / 60_000;
  return {
    stalls,
    stallMsMax: Math.max(0, ...stalls.map(({ ms }) => ms)),
    stallsPerMinute: minutes > 0 ? stalls.length / minutes : 0,
    gapMs: roundMs(stalls.reduce((sum, { ms, concealedMs = 0 }) => sum + ms - concealedMs, 0)),
    playedMs: roundMs(playedMs),
    heldMsMean: held.length === 0 ? 0 : roundMs(held.reduce((a, b) => a + b, 0) / held.length),
    heldMsMax: Math.max(0, ...held),
    stretchedMs: roundMs(playout.reduce((sum, { stretchedMs = 0 }) => sum + stretchedMs, 0)),
  };
}

/** A response that ran dry and went on, or was cut off then; one that was over by then has not stalled. */
function stallsOf(playout: readonly PlayoutFact[]): StallMetrics[] {
  const open = new Map<string, PlayoutFact>();
  const stalls: StallMetrics[] = [];
  for (const fact of playout) {
    const { responseId, event, concealedMs } = fact;
    const since = open.get(responseId);
    if (event === "underrun") open.set(responseId, fact);
    else if (since !== undefined) {
      open.delete(responseId);
      if (event !== "resumed" && event !== "flushed") continue;
      const ms = betweenMs(since.at, fact.at);
      const span = { startAt: since.at, endAt: fact.at };
      stalls.push({ ...span, responseId, ms, ...optional("concealedMs", concealedMs) });
    }
  }
  return stalls.toSorted((a, b) => a.startAt - b.startAt);
}

function playedIn(playout: readonly PlayoutFact[]): number {
  const played = new Map<string, number>();
  for (const { responseId, playedMs } of playout) {
    played.set(responseId, Math.max(played.get(responseId) ?? 0, playedMs));
  }
  return [...played.values()].reduce((sum, ms) => sum + ms, 0);
}

/**
 * Says of hurried stretches which stall they make up for: the last stall of the bot's playout, or gap
 * in what the caller heard, that ended within 3 s before.
 */
export function withCatchUps(quality: QualityMetrics, facts: readonly Fact[]): QualityMetrics {
  const stalls = stallsOf(factsOf(facts, "playout", "bot"));
  const heard = quality.signals.find(({ speaker }) => speaker === "bot")?.gaps.places ?? [];
  const ends = [...stalls, ...heard].map(({ endAt }) => endAt);
  return { ...quality, tempo: quality.tempo.map((change) => followed(change, ends)) };
}

function followed(change: TempoMetrics, ends: readonly Instant[]): TempoMetrics {
  if (change.ratio < HURRIED_RATIO_MIN) return change;
  const since = ends
    .map((endAt) => betweenMs(endAt, change.startAt))
    .filter((ms) => ms >= -STRETCH_SEEN_MS && ms <= CATCH_UP_WITHIN_MS);
  if (since.length === 0) return change;
  return { ...change, afterStallMs: Math.max(0, Math.min(...since)) };
}

/** A change of tempo is placed by windows of 100 ms: it may seem to begin so much before the gap's end. */
const STRETCH_SEEN_MS = 100;
