import { after, type Instant } from "../environment/index.ts";
import type {
  AsidePurpose,
  BackchannelMetrics,
  BargeInMetrics,
  BotSegment,
  BotTurn,
  CallerTurn,
  StopPart,
} from "./call-metrics.ts";
import { nextOnsetAfter } from "./caller-turns.ts";
import { type Certainty, certaintyOf, doubtOfTiming, edgeCertainty } from "./doubts.ts";
import { factsOf } from "./facts-of.ts";
import { type LatencyPart, partsBetween } from "./latency-parts.ts";
import type { Observations } from "./observations.ts";
import { optional } from "./optional.ts";
import { cutAt, type ResponseTrack } from "./responses.ts";
import { betweenMs, contains, spanBetween, totalMs } from "./time-spans.ts";
import { answerTo, responseOf } from "./turns.ts";
import { unsteadyMs } from "./unsteady.ts";

/** A stop within this counts as a yield to an interruption (τ-voice, EVA). */
export const YIELD_LIMIT_MS = 2000;
/** A stop within this of a backchannel counts as a false stop. */
export const FALSE_STOP_LIMIT_MS = 1000;
/** An answer within this of words for somebody else counts as a false one. */
export const FALSE_ANSWER_LIMIT_MS = 2000;

/** A flushed response may be heard this much later than estimated without being stale. */
const DELIVERY_TOLERANCE_MS = 40;
/** Speech that ends this close to the end of the call was ended by it. */
const CALL_END_TOLERANCE_MS = 200;
/** Where nothing is known of the bot's inside, a shorter silence may be a pause within a sentence. */
const CERTAIN_SILENCE_MS = 1000;

/** What the bot did at each interruption. */
export function measureBargeIns(seen: Observations): BargeInMetrics[] {
  return seen.callerTurns
    .filter(({ purpose }) => purpose === "interruption")
    .map((turn) => measureBargeIn(turn, seen));
}

/** What the bot did each time that nothing was wanted of it. */
export function measureBackchannels(seen: Observations): BackchannelMetrics[] {
  return seen.callerTurns.flatMap((turn) => {
    const { purpose } = turn;
    const isDue = purpose === "speech" || purpose === "interruption";
    return isDue ? [] : [measureBackchannel(turn, purpose, seen)];
  });
}

function measureBargeIn(turn: CallerTurn, seen: Observations): BargeInMetrics {
  const { utteranceId, onsetAt } = turn;
  const stop = stopAfter(onsetAt, seen);
  if (stop === undefined) {
    const known = certaintyOf([turn.doubt], [turn.uncertaintyMs ?? 0]);
    return { utteranceId, onsetAt, outcome: "notSpeaking", parts: [], ...known };
  }
  const untilAt = nextOnsetAfter(seen.callerTurns, onsetAt) ?? seen.endAt;
  const answer = answerTo(turn, untilAt, seen);
  const latencyMs = betweenMs(onsetAt, stop.stoppedAt);
  return {
    utteranceId,
    onsetAt,
    outcome: latencyMs > YIELD_LIMIT_MS ? "noYield" : (stop.ending ?? "yielded"),
    ...optional("responseId", stop.turn.responseId),
    stoppedAt: stop.stoppedAt,
    stopLatencyMs: latencyMs,
    parts: stopParts(onsetAt, stop, seen),
    ...optional("staleSpeechMs", stop.staleSpeechMs),
    ...optional(
      "responseLatencyMs",
      answer === undefined || answer === stop.turn
        ? undefined
        : betweenMs(turn.offsetAt, answer.startAt),
    ),
    ...certaintyOfStop(turn, stop, { limitMs: YIELD_LIMIT_MS, seen }),
  };
}

/** How far it is known when the bot stopped, and whether that was within the limit. */
function certaintyOfStop(
  turn: CallerTurn,
  stop: Stop,
  { limitMs, seen }: { readonly limitMs: number; readonly seen: Observations },
): Certainty {
  const { onsetAt, doubt, uncertaintyMs: onsetMs = 0 } = turn;
  const { stoppedAt, edge, isPause } = stop;
  const ownMs = unsteadyMs(seen.unsteady, spanBetween(onsetAt, stoppedAt));
  const uncertaintiesMs = [onsetMs, edge.uncertaintyMs, ownMs];
  const reachMs = uncertaintiesMs.reduce((sum, ms) => sum + ms, 0);
  const isNear = Math.abs(betweenMs(onsetAt, stoppedAt) - limitMs) <= reachMs;
  return certaintyOf(
    [
      doubtOfTiming(ownMs),
      doubt,
      edge.doubt,
      isPause ? "maybePause" : undefined,
      isNear ? "nearLimit" : undefined,
    ],
    uncertaintiesMs,
  );
}

function measureBackchannel(
  turn: CallerTurn,
  purpose: AsidePurpose,
  seen: Observations,
): BackchannelMetrics {
  const { utteranceId, onsetAt } = turn;
  const about = { utteranceId, purpose, onsetAt };
  const stop = stopAfter(onsetAt, seen, FALSE_STOP_LIMIT_MS);
  if (stop === undefined) {
    const outcome = purpose === "sideSpeech" ? outcomeInSilence(turn, seen) : "notSpeaking";
    return { ...about, outcome, ...certaintyOf([turn.doubt], [turn.uncertaintyMs ?? 0]) };
  }
  const latencyMs = betweenMs(onsetAt, stop.stoppedAt);
  const known = certaintyOfStop(turn, stop, { limitMs: FALSE_STOP_LIMIT_MS, seen });
  return {
    ...about,
    outcome: latencyMs > FALSE_STOP_LIMIT_MS ? "keptTalking" : (stop.ending ?? "falseStop"),
    stopLatencyMs: latencyMs,
    ...outcomeCertainty(known, latencyMs),
  };
}

/**
 * Whether it stopped in time is all that is asked: what lies on one side of the limit by more than it
 * may be off is certain, however little its instant is known.
 */
function outcomeCertainty({ doubt, uncertaintyMs }: Certainty, latencyMs: number): Certainty {
  const distanceMs = latencyMs - FALSE_STOP_LIMIT_MS;
  const isOpen =
    doubt === "scriptDisagrees" ||
    (doubt === "maybePause" ? distanceMs <= 0 : Math.abs(distanceMs) <= uncertaintyMs);
  return certaintyOf([isOpen ? doubt : undefined], [uncertaintyMs]);
}

/** Words for somebody else, while the bot was silent: it may not take them for its own. */
function outcomeInSilence(turn: CallerTurn, seen: Observations): "answered" | "ignored" {
  const nextAt = nextOnsetAfter(seen.callerTurns, turn.onsetAt) ?? seen.endAt;
  const untilAt = Math.min(nextAt, after(turn.offsetAt, FALSE_ANSWER_LIMIT_MS)) as Instant;
  return answerTo(turn, untilAt, seen) === undefined ? "ignored" : "answered";
}

interface Stop {
  readonly turn: BotTurn;
  readonly response: ResponseTrack | undefined;
  readonly stoppedAt: Instant;
  /** Why this was no stop on the caller's account. */
  readonly ending: "finished" | "callEnded" | undefined;
  readonly staleSpeechMs: number | undefined;
  /** How far `stoppedAt` is known. */
  readonly edge: Certainty;
  /** It may have been a pause: it spoke on soon after. */
  readonly isPause: boolean;
}

/**
 * The end of the speech during which the caller spoke up at `onsetAt`; `undefined` where the bot
 * was not speaking.
 *
 * @param pauseWithinMs where the bot's inside is unknown, the first pause that begins within this
 *   is taken for the stop; without it, only the end of the turn is.
 */
function stopAfter(onsetAt: Instant, seen: Observations, pauseWithinMs = 0): Stop | undefined {
  const turn = seen.botTurns.find((botTurn) => contains(botTurn, onsetAt));
  if (turn === undefined) return undefined;
  const response = responseOf(turn, seen);
  if (response === undefined) return stopOfUnknown(turn, onsetAt, seen, pauseWithinMs);
  const cut = cutAt(response);
  if (cut === undefined || cut < onsetAt) {
    const ending =
      response.playoutEndedAt === undefined && endsWithCall(turn.endAt, seen)
        ? "callEnded"
        : "finished";
    return plainStop(turn, response, ending);
  }
  const latestAt = after(cut, seen.deliveryMs + DELIVERY_TOLERANCE_MS);
  const own = seen.pieces.filter(({ responseId }) => responseId === response.responseId);
  const stale = own.filter(({ startAt }) => startAt > latestAt);
  const last = own.findLast(({ startAt }) => startAt <= latestAt);
  const stoppedAt = last?.endAt ?? turn.endAt;
  const staleSpeechMs = totalMs(stale);
  const edge = offsetCertainty(last ?? turn.segments.at(-1));
  return { turn, response, stoppedAt, ending: undefined, staleSpeechMs, edge, isPause: false };
}

function plainStop(turn: BotTurn, response: ResponseTrack, ending: Stop["ending"]): Stop {
  const { endAt: stoppedAt } = turn;
  const edge = offsetCertainty(turn.segments.at(-1));
  return { turn, response, stoppedAt, ending, staleSpeechMs: undefined, edge, isPause: false };
}

/** How far the end of speech is known. */
function offsetCertainty(speech: BotSegment | undefined): Certainty {
  const { uncertaintyMs = 0, disagreementMs } = speech ?? {};
  return edgeCertainty(uncertaintyMs, disagreementMs?.offset);
}

/** Only the audio tells: a pause is taken for a stop, and is uncertain while it is short. */
function stopOfUnknown(
  turn: BotTurn,
  onsetAt: Instant,
  seen: Observations,
  pauseWithinMs: number,
): Stop {
  const pause = turn.segments.find(
    ({ endAt }) => endAt > onsetAt && endAt <= after(onsetAt, pauseWithinMs),
  );
  const stoppedAt = pause?.endAt ?? turn.endAt;
  const nextAt = seen.pieces.find(({ startAt }) => startAt > stoppedAt)?.startAt;
  const isPause = nextAt !== undefined && betweenMs(stoppedAt, nextAt) < CERTAIN_SILENCE_MS;
  const edge = offsetCertainty(pause ?? turn.segments.at(-1));
  // Then it stopped when it had said what followed.
  const laterEndAt = seen.botTurns.find(({ endAt }) => endAt > stoppedAt)?.endAt ?? stoppedAt;
  const openMs = isPause ? betweenMs(stoppedAt, laterEndAt) : 0;
  return {
    turn,
    response: undefined,
    stoppedAt,
    ending: endsWithCall(stoppedAt, seen) ? "callEnded" : undefined,
    staleSpeechMs: undefined,
    edge: { ...edge, uncertaintyMs: edge.uncertaintyMs + openMs },
    isPause,
  };
}

function endsWithCall(at: Instant, seen: Observations): boolean {
  return at >= after(seen.endAt, -CALL_END_TOLERANCE_MS);
}

function stopParts(onsetAt: Instant, stop: Stop, seen: Observations): LatencyPart<StopPart>[] {
  const cut = stop.response && cutAt(stop.response);
  if (seen.heardAt !== "caller" || cut === undefined || stop.ending !== undefined) return [];
  return partsBetween<StopPart>(onsetAt, [
    { name: "detection", endAt: detectedAt(onsetAt, cut, seen) ?? toldBefore(cut, stop.response) },
    { name: "flush", endAt: lastSentBefore(cut, seen) ?? cut },
    { name: "tail", endAt: stop.stoppedAt },
  ]);
}

/** The AI's first sign after the onset that it noticed the caller, not later than the cut. */
function detectedAt(onsetAt: Instant, cut: Instant, seen: Observations): Instant | undefined {
  return factsOf(seen.facts, "aiCallerSpeech", "bot").find(
    ({ event, at }) => event === "started" && at > onsetAt && at <= cut,
  )?.at;
}

/** When the bridge learnt of the interruption in another way, if that was before the cut. */
function toldBefore(cut: Instant, response: ResponseTrack | undefined): Instant | undefined {
  const toldAt = response?.interruptedAt;
  return toldAt !== undefined && toldAt <= cut ? toldAt : undefined;
}

/** The end of the last speech that left the bot before the flush took effect. */
function lastSentBefore(cut: Instant, seen: Observations): Instant | undefined {
  return seen.sent?.findLast(({ startAt }) => startAt <= cut)?.endAt;
}
