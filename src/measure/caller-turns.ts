import type { Instant } from "../environment/index.ts";
import type { Fact, UtteranceFact } from "../timeline/index.ts";
import type { AsidePurpose, CallerTurn } from "./call-metrics.ts";
import { type Doubt, edgeCertainty } from "./doubts.ts";
import { factsOf } from "./facts-of.ts";
import { optional } from "./optional.ts";
import type { SpeechSpan } from "./recording.ts";
import { betweenMs, overlapMs, type TimeSpan } from "./time-spans.ts";
import { type UnsteadySpan, unsteadyMs } from "./unsteady.ts";

/**
 * Script and audio that differ by more than this, and by more than the audio's own uncertainty, are
 * both shown, and the turn is uncertain.
 */
const AGREEMENT_MS = 40;

/**
 * The caller's turns in order: by the script where there is one (its instants are known truth,
 * the audio only confirms them), else by what the detector found.
 *
 * @param spoken speech in what the caller sent; `undefined` without a recording.
 * @param unsteady when our own ends kept time badly.
 */
export function callerTurnsOf(
  facts: readonly Fact[],
  spoken: readonly SpeechSpan[] | undefined,
  unsteady: readonly UnsteadySpan[],
): CallerTurn[] {
  const scripted = lastWordPerUtterance(factsOf(facts, "utterance", "caller"));
  if (scripted.length === 0) return (spoken ?? []).map(turnOfSpeech);
  return scripted
    .map((utterance) => turnOfScript(utterance, spoken, unsteady))
    .toSorted((a, b) => a.onsetAt - b.onsetAt);
}

/** The purposes of what wants something of the bot. */
export type DuePurpose = Exclude<CallerTurn["purpose"], AsidePurpose>;

/** Whether something is due of the bot: an answer, or to stop and answer. */
export function isDue(turn: CallerTurn): turn is CallerTurn & { readonly purpose: DuePurpose } {
  return turn.purpose === "speech" || turn.purpose === "interruption";
}

/** The onset of the first turn after `at` to which an answer is due. */
export function nextOnsetAfter(turns: readonly CallerTurn[], at: Instant): Instant | undefined {
  return turns.find((turn) => isDue(turn) && turn.onsetAt > at)?.onsetAt;
}

/** `ended` knows where the utterance was cut short, so it wins over `started`. */
function lastWordPerUtterance(facts: readonly UtteranceFact[]): UtteranceFact[] {
  const byId = new Map<string, UtteranceFact>();
  for (const fact of facts) {
    if (fact.event === "ended" || !byId.has(fact.utteranceId)) byId.set(fact.utteranceId, fact);
  }
  return [...byId.values()];
}

function turnOfScript(
  utterance: UtteranceFact,
  spoken: readonly SpeechSpan[] | undefined,
  unsteady: readonly UnsteadySpan[],
): CallerTurn {
  const { utteranceId, fixture, purpose, onsetAt, offsetAt } = utterance;
  const script = { startAt: onsetAt, endAt: offsetAt };
  const disagreement = spoken && disagreementWith(script, spoken);
  // Recorded where it was due, and placed where it left: late by what our own timing was off.
  const allowedMs = AGREEMENT_MS + unsteadyMs(unsteady, script);
  const agrees =
    disagreement !== undefined &&
    Math.abs(disagreement.onset) <= allowedMs + disagreement.onsetOpenMs &&
    Math.abs(disagreement.offset) <= allowedMs + disagreement.offsetOpenMs;
  const doubt: Doubt | undefined = spoken === undefined || agrees ? undefined : "scriptDisagrees";
  return {
    utteranceId,
    fixture,
    purpose,
    onsetAt,
    offsetAt,
    source: "script",
    ...optional(
      "audioDisagreementMs",
      disagreement && { onset: disagreement.onset, offset: disagreement.offset },
    ),
    uncertain: doubt !== undefined,
    ...optional("doubt", doubt),
  };
}

/** Script minus audio at both edges, and how far the audio's are open; nothing where it is silent. */
function disagreementWith(
  script: TimeSpan,
  spoken: readonly SpeechSpan[],
): Readonly<Record<"onset" | "offset" | "onsetOpenMs" | "offsetOpenMs", number>> | undefined {
  const found = spoken.filter((span) => overlapMs(span, script) > 0);
  const first = found[0];
  const last = found.at(-1);
  if (first === undefined || last === undefined) return undefined;
  return {
    onset: betweenMs(script.startAt, first.startAt),
    offset: betweenMs(script.endAt, last.endAt),
    onsetOpenMs: first.uncertaintyMs,
    offsetOpenMs: last.uncertaintyMs,
  };
}

function turnOfSpeech(span: SpeechSpan, index: number): CallerTurn {
  return {
    utteranceId: `heard-${index + 1}`,
    purpose: "speech",
    onsetAt: span.startAt,
    offsetAt: span.endAt,
    source: "audio",
    ...edgeCertainty(span.uncertaintyMs),
  };
}
