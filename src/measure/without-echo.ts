import { echoFree, type PlacedAudio } from "../audio/index.ts";
import { instant } from "../environment/index.ts";
import type { SpeechSpan } from "./recording.ts";
import { roundInstant, roundMs } from "./time-spans.ts";

/** Speech may reach so far into the echo that covers its weak beginning or end. */
const COVERED_MS = 100;

/**
 * Speech without what is only the echo of somebody's own voice. Where some was taken off, edges
 * are open by another 100 ms: an echo covers weak beginnings and ends.
 *
 * @param audio what was sent, and what was heard at the same place.
 * @param gapMs pauses from here on part two pieces of speech.
 */
export function withoutEcho<Span extends SpeechSpan>(
  spans: readonly Span[],
  audio: { readonly sent: PlacedAudio; readonly heard: PlacedAudio },
  echo: { readonly delayMs: number; readonly lossDb: number } | undefined,
  gapMs: number,
): Span[] {
  if (echo === undefined) return [...spans];
  return spans.flatMap((span) => {
    const stretch = { fromMs: span.startAt, toMs: span.endAt };
    const parts = echoFree(stretch, audio, echo, gapMs);
    const [only] = parts;
    if (parts.length === 1 && only?.fromMs === stretch.fromMs && only.toMs === stretch.toMs) {
      return [span];
    }
    return parts.map((part) => ({
      ...span,
      startAt: roundInstant(instant(part.fromMs)),
      endAt: roundInstant(instant(part.toMs)),
      uncertaintyMs: roundMs(span.uncertaintyMs + COVERED_MS),
    }));
  });
}
