import { after, type Instant } from "../environment/index.ts";
import type { DelayMetrics, DelayPointMetrics } from "./delay-metrics.ts";
import type { SpeechSpan } from "./recording.ts";
import { betweenMs, roundInstant, roundMs } from "./time-spans.ts";

/** An edge of speech that was heard, by where it was sent and how much later it was heard. */
export interface LocatedEdge {
  readonly at: Instant;
  readonly uncertaintyMs: number;
}

/** The window whose delay an edge is given lies on the side of the speech, at most so far off. */
const REACH_MS = 1500;
/** A window of 1 s has its middle so far from an edge that it begins or ends at. */
const HALF_WINDOW_MS = 500;

/** Edges of speech as they must have been heard: those sent, each later by the delay around it. */
export interface LocatedEdges {
  readonly onsets: readonly LocatedEdge[];
  readonly offsets: readonly LocatedEdge[];
}

/**
 * Carries edges over from one recording to another.
 *
 * @param sent speech as it was sent, found in clean audio.
 * @param delay of what was heard after what was sent.
 */
export function locateEdges(sent: readonly SpeechSpan[], delay: DelayMetrics): LocatedEdges {
  return {
    onsets: sent.flatMap(({ startAt, uncertaintyMs }) =>
      carried(startAt, uncertaintyMs, localDelay(delay, after(startAt, HALF_WINDOW_MS))),
    ),
    offsets: sent.flatMap(({ endAt, uncertaintyMs }) =>
      carried(endAt, uncertaintyMs, localDelay(delay, after(endAt, -HALF_WINDOW_MS))),
    ),
  };
}

/** The edge that is nearest to `at`; `undefined` where none is within `reachMs`. */
export function nearestEdge(
  edges: readonly LocatedEdge[],
  at: Instant,
  reachMs: number,
): LocatedEdge | undefined {
  let best: LocatedEdge | undefined;
  for (const edge of edges) {
    const distance = Math.abs(betweenMs(at, edge.at));
    if (distance > reachMs) continue;
    if (best === undefined || distance < Math.abs(betweenMs(at, best.at))) best = edge;
  }
  return best;
}

function carried(
  at: Instant,
  uncertaintyMs: number,
  delay: DelayPointMetrics | undefined,
): LocatedEdge[] {
  if (delay === undefined) return [];
  return [
    {
      at: roundInstant(after(at, delay.delayMs)),
      uncertaintyMs: roundMs(uncertaintyMs + delay.uncertaintyMs),
    },
  ];
}

/** The delay of the window whose middle is nearest to `at`. */
function localDelay({ points }: DelayMetrics, at: Instant): DelayPointMetrics | undefined {
  let best: DelayPointMetrics | undefined;
  for (const point of points) {
    const distance = Math.abs(betweenMs(at, point.at));
    if (distance > REACH_MS) continue;
    if (best === undefined || distance < Math.abs(betweenMs(at, best.at))) best = point;
  }
  return best;
}
