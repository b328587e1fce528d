import { after, type Instant } from "../environment/index.ts";
import type { AiCallerSpeechFact, AiInputClockFact } from "../timeline/index.ts";
import type { BotTurn, CallerTurn, ResponsePart, TurnMetrics } from "./call-metrics.ts";
import { isDue, nextOnsetAfter } from "./caller-turns.ts";
import { type Certainty, certaintyOf, doubtOfTiming, edgeCertainty } from "./doubts.ts";
import { factsOf } from "./facts-of.ts";
import { type LatencyPart, partsBetween } from "./latency-parts.ts";
import type { Observations } from "./observations.ts";
import { optional } from "./optional.ts";
import type { ResponseTrack } from "./responses.ts";
import { betweenMs, spanBetween } from "./time-spans.ts";
import { unsteadyMs } from "./unsteady.ts";

/** An answer may begin this long before the caller has finished: people overlap, too. */
const OVERLAP_LIMIT_MS = 500;
/** Beyond this, speech that ends at the bot is not the end of the utterance in question. */
const ARRIVAL_LIMIT_MS = 1500;
/** A detector may place an edge this much too early. */
const EDGE_TOLERANCE_MS = 40;

/** Each turn of the caller to which an answer is due, and the answer. */
export function measureTurns(seen: Observations): TurnMetrics[] {
  return seen.callerTurns.flatMap((turn) =>
    isDue(turn) ? [measureTurn(turn, turn.purpose, seen)] : [],
  );
}

function measureTurn(
  turn: CallerTurn,
  purpose: "speech" | "interruption",
  seen: Observations,
): TurnMetrics {
  const untilAt = nextOnsetAfter(seen.callerTurns, turn.onsetAt) ?? seen.endAt;
  const answer = answerTo(turn, untilAt, seen);
  const withToolCall = toolCalledIn(turn.offsetAt, answer?.endAt ?? untilAt, seen);
  return {
    utteranceId: turn.utteranceId,
    purpose,
    callerOnsetAt: turn.onsetAt,
    callerOffsetAt: turn.offsetAt,
    outcome: answer === undefined ? (withToolCall ? "toolOnly" : "missed") : "answered",
    roomMs: betweenMs(turn.offsetAt, untilAt),
    withToolCall,
    ...(answer === undefined
      ? { parts: [], ...certaintyOf([turn.doubt], [turn.uncertaintyMs ?? 0]) }
      : answerMetrics(turn, answer, seen)),
  };
}

/**
 * The first bot turn that begins after the caller's offset (or overlaps its end) and before the
 * caller's next onset. A response made before the caller spoke is no answer to it.
 */
export function answerTo(
  turn: CallerTurn,
  untilAt: Instant,
  seen: Observations,
): BotTurn | undefined {
  const fromAt = Math.max(turn.onsetAt, after(turn.offsetAt, -OVERLAP_LIMIT_MS));
  return seen.botTurns.find((botTurn) => {
    const createdAt = responseOf(botTurn, seen)?.createdAt;
    return (
      botTurn.startAt > fromAt &&
      botTurn.startAt <= untilAt &&
      botTurn.endAt > turn.offsetAt &&
      (createdAt === undefined || createdAt > turn.onsetAt)
    );
  });
}

/** The AI's response that a bot turn plays, where it is known. */
export function responseOf(turn: BotTurn, seen: Observations): ResponseTrack | undefined {
  return turn.responseId === undefined ? undefined : seen.responses.get(turn.responseId);
}

type AnswerMetrics = Pick<
  TurnMetrics,
  | "botOnsetAt"
  | "responseId"
  | "responseLatencyMs"
  | "claimedLatencyMs"
  | "aiReactionMs"
  | "parts"
  | "botOnsetDisagreementMs"
  | "uncertain"
  | "doubt"
  | "uncertaintyMs"
>;

function answerMetrics(turn: CallerTurn, answer: BotTurn, seen: Observations): AnswerMetrics {
  const response = responseOf(answer, seen);
  const stopped = speechStopped(turn, response, seen);
  const onsetMs = answer.segments[0]?.disagreementMs?.onset;
  return {
    botOnsetAt: answer.startAt,
    ...optional("responseId", answer.responseId),
    responseLatencyMs: betweenMs(turn.offsetAt, answer.startAt),
    ...optional("claimedLatencyMs", claimedMs(stopped, response)),
    ...optional("aiReactionMs", stopped && reactionMs(stopped, seen.inputClock)),
    parts: responseParts(turn, answer, stopped, seen),
    ...optional("botOnsetDisagreementMs", onsetMs),
    ...latencyCertainty(turn, answer, seen),
  };
}

/** How far the time from a caller's offset to the bot's onset is known. */
function latencyCertainty(turn: CallerTurn, answer: BotTurn, seen: Observations): Certainty {
  const onset = onsetCertainty(answer);
  const ownMs = unsteadyMs(seen.unsteady, spanBetween(turn.offsetAt, answer.startAt));
  return certaintyOf(
    [doubtOfTiming(ownMs), turn.doubt, onset.doubt],
    [turn.uncertaintyMs ?? 0, onset.uncertaintyMs, ownMs],
  );
}

/** How far the onset of what the bot said is known. */
export function onsetCertainty({ segments }: BotTurn): Certainty {
  const { disagreementMs, uncertaintyMs = 0 } = segments[0] ?? {};
  return edgeCertainty(uncertaintyMs, disagreementMs?.onset);
}

function responseParts(
  turn: CallerTurn,
  answer: BotTurn,
  stopped: AiCallerSpeechFact | undefined,
  seen: Observations,
): LatencyPart<ResponsePart>[] {
  const response = responseOf(answer, seen);
  if (seen.heardAt !== "caller" || response === undefined) return [];
  return partsBetween<ResponsePart>(turn.offsetAt, [
    { name: "networkThere", endAt: stopped && arrivalOf(turn.offsetAt, seen) },
    { name: "turnDetection", endAt: stopped?.at },
    { name: "model", endAt: response.firstAudioAt },
    { name: "injection", endAt: response.playoutStartedAt },
    { name: "leadingSilence", endAt: onsetSent(response, answer.startAt, seen) },
    { name: "delivery", endAt: answer.startAt },
  ]);
}

/** When the caller's last sample had arrived at the bot, from the bot's own recording. */
function arrivalOf(offsetAt: Instant, seen: Observations): Instant | undefined {
  const earliest = after(offsetAt, -EDGE_TOLERANCE_MS);
  const endAt = seen.received?.find((span) => span.endAt >= earliest)?.endAt;
  if (endAt === undefined || endAt > after(offsetAt, ARRIVAL_LIMIT_MS)) return undefined;
  return endAt;
}

/** When the response's first speech left the bot. */
function onsetSent(
  response: ResponseTrack,
  heardAt: Instant,
  seen: Observations,
): Instant | undefined {
  const startedAt = response.playoutStartedAt;
  if (startedAt === undefined) return undefined;
  const earliest = after(startedAt, -EDGE_TOLERANCE_MS);
  const span = seen.sent?.find(({ startAt }) => startAt >= earliest);
  return span !== undefined && span.startAt <= heardAt ? span.startAt : undefined;
}

/** The AI's last word, before its first audio, that this caller turn was over. */
function speechStopped(
  turn: CallerTurn,
  response: ResponseTrack | undefined,
  seen: Observations,
): AiCallerSpeechFact | undefined {
  const untilAt = response?.firstAudioAt;
  if (untilAt === undefined) return undefined;
  return factsOf(seen.facts, "aiCallerSpeech", "bot").findLast(
    ({ event, at }) => event === "stopped" && at > turn.onsetAt && at <= untilAt,
  );
}

function claimedMs(
  stopped: AiCallerSpeechFact | undefined,
  response: ResponseTrack | undefined,
): number | undefined {
  if (stopped === undefined || response?.firstAudioAt === undefined) return undefined;
  return betweenMs(stopped.at, response.firstAudioAt);
}

/** From handing over the audio up to which the AI counted, to its event. */
function reactionMs(
  stopped: AiCallerSpeechFact,
  clock: readonly AiInputClockFact[],
): number | undefined {
  const nearest = clock.reduce<AiInputClockFact | undefined>(
    (best, fact) =>
      best === undefined ||
      Math.abs(fact.appendedMs - stopped.audioMs) < Math.abs(best.appendedMs - stopped.audioMs)
        ? fact
        : best,
    undefined,
  );
  if (nearest === undefined) return undefined;
  return betweenMs(after(nearest.at, stopped.audioMs - nearest.appendedMs), stopped.at);
}

function toolCalledIn(from: Instant, to: Instant, seen: Observations): boolean {
  return factsOf(seen.facts, "toolCall").some(
    ({ event, at }) => event === "called" && at >= from && at <= to,
  );
}
