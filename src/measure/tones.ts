import type { Fact, Party } from "../timeline/index.ts";
import { factsOf } from "./facts-of.ts";
import type { SpeechSpan } from "./recording.ts";
import { overlapMs } from "./time-spans.ts";

/** From this share on, a span is keys and not speech; the gaps between keys are part of it. */
const TONE_SHARE_MIN = 0.5;

/**
 * Speech without telephone keys pressed in-band: to a speech detector they are speech, but nobody
 * answers them.
 *
 * @param of who spoke, and at whose socket that was recorded.
 */
export function withoutTones<Span extends SpeechSpan>(
  spans: readonly Span[],
  facts: readonly Fact[],
  of: { readonly speaker: Party; readonly recordedAt: Party },
): Span[] {
  const direction = of.speaker === of.recordedAt ? "sent" : "received";
  const tones = factsOf(facts, "digit", of.recordedAt)
    .filter((digit) => digit.method === "in-band" && digit.direction === direction)
    .map(({ at, endedAt }) => ({ startAt: at, endAt: endedAt }));
  return spans.filter((span) => {
    const toneMs = tones.reduce((sum, tone) => sum + overlapMs(span, tone), 0);
    return toneMs < TONE_SHARE_MIN * (span.endAt - span.startAt);
  });
}
