import type { DelayMetrics } from "./delay-metrics.ts";
import { type LocatedEdge, locateEdges, nearestEdge } from "./located-edges.ts";
import type { SpeechSpan } from "./recording.ts";
import { betweenMs } from "./time-spans.ts";

/** Detected minus located, where an edge that was detected was also located. */
export interface EdgeDisagreement {
  readonly onset?: number;
  readonly offset?: number;
}

/** An edge sent and the same edge heard are not further apart than this, or they are two. */
const REACH_MS = 1000;
/** Edges that differ by more, and by more than their uncertainties explain, contradict each other. */
const AGREEMENT_MS = 40;

/**
 * Compares speech detected in what was heard with speech found in what was sent, carried over by
 * the delay between the two. Where both agree within their uncertainties, the more certain one is
 * taken; where they contradict each other, the detected one stays, with the disagreement.
 */
export function confirmed<Span extends SpeechSpan>(
  heard: readonly Span[],
  sent: readonly SpeechSpan[],
  delay: DelayMetrics,
): (Span & { readonly disagreementMs?: EdgeDisagreement })[] {
  const { onsets, offsets } = locateEdges(sent, delay);
  return heard.map((span) => {
    const onset = judge(span.startAt, span.uncertaintyMs, onsets);
    const offset = judge(span.endAt, span.uncertaintyMs, offsets);
    const disagreementMs = {
      ...(onset.contradictionMs === undefined ? {} : { onset: onset.contradictionMs }),
      ...(offset.contradictionMs === undefined ? {} : { offset: offset.contradictionMs }),
    };
    const isTurnedOver = offset.at <= onset.at;
    return {
      ...span,
      ...(isTurnedOver ? {} : { startAt: onset.at, endAt: offset.at }),
      uncertaintyMs: Math.max(onset.uncertaintyMs, offset.uncertaintyMs),
      ...(Object.keys(disagreementMs).length === 0 ? {} : { disagreementMs }),
    };
  });
}

function judge(
  at: LocatedEdge["at"],
  uncertaintyMs: number,
  located: readonly LocatedEdge[],
): LocatedEdge & { readonly contradictionMs?: number } {
  const other = nearestEdge(located, at, REACH_MS);
  if (other === undefined) return { at, uncertaintyMs };
  const differenceMs = betweenMs(other.at, at);
  const explainedMs = uncertaintyMs + other.uncertaintyMs;
  if (Math.abs(differenceMs) > Math.max(AGREEMENT_MS, explainedMs)) {
    return { at, uncertaintyMs, contradictionMs: differenceMs };
  }
  const isSharper = other.uncertaintyMs < uncertaintyMs && Math.abs(differenceMs) <= explainedMs;
  return isSharper ? other : { at, uncertaintyMs };
}
