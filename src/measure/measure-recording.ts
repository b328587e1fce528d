import { after, type Instant } from "../environment/index.ts";
import { measureBackchannels, measureBargeIns } from "./barge-in.ts";
import { botTurnsOf, type SpeechPiece, segmentsOf } from "./bot-turns.ts";
import { type CallerTurn, type CallMetrics, METRICS_VERSION } from "./call-metrics.ts";
import type { SignalMetrics } from "./call-quality.ts";
import { measureConversation } from "./conversation.ts";
import { edgeCertainty } from "./doubts.ts";
import type { Observations } from "./observations.ts";
import type { SpeechSpan } from "./recording.ts";
import { betweenMs } from "./time-spans.ts";
import { measureTurns } from "./turns.ts";

/** The speech in a recording of which nothing else is known. */
export interface RecordedSpeech {
  readonly id: string;
  readonly startAt: Instant;
  readonly endAt: Instant;
  readonly sampleRateHz: number;
  /** Pauses below 300 ms bridged, in order. */
  readonly caller: readonly SpeechSpan[];
  /** Pauses below 100 ms bridged, in order. */
  readonly bot: readonly SpeechSpan[];
  /** The caller's and the bot's. */
  readonly signals: readonly SignalMetrics[];
}

/** The caller's pauses below this are within one turn, if the bot says nothing in them. */
const CALLER_TURN_GAP_MS = 1000;
/** Words of the caller while the bot speaks, up to this long, are a sign of listening. */
export const BACKCHANNEL_MS = 1000;
/** A caller who begins this shortly before the bot ends has taken his turn early. */
export const TURN_CHANGE_MS = 250;

/**
 * What can be said of somebody else's recording: turns, latencies, interruptions and silences, by
 * the same definitions as those of a call. What takes facts (claimed figures, parts, tools, set-up,
 * media) is absent. What the caller meant is told by where and how long he spoke.
 */
export function measureRecording(speech: RecordedSpeech): CallMetrics {
  const segments = speech.caller.map(callerTurn);
  const pieces: readonly SpeechPiece[] = speech.bot;
  const botSegments = segmentsOf(pieces);
  // Twice: where the bot's turns end depends on the caller's, and what the caller meant on the bot's.
  const joined = joinTurns(segments, botSegments);
  const roughTurns = botTurnsOf(botSegments, joined);
  const callerTurns = named(joined.map((turn) => withPurpose(turn, roughTurns)));
  const seen: Observations = {
    facts: [],
    heardAt: undefined,
    recording: undefined,
    callerTurns,
    pieces,
    botTurns: botTurnsOf(botSegments, callerTurns),
    responses: new Map(),
    sent: undefined,
    received: undefined,
    delays: [],
    unsteady: [],
    echoes: [],
    inputClock: [],
    deliveryMs: 0,
    endAt: speech.endAt,
  };
  return {
    version: METRICS_VERSION,
    callId: speech.id,
    recording: {
      startedAt: speech.startAt,
      sampleRateHz: speech.sampleRateHz,
      durationMs: betweenMs(speech.startAt, speech.endAt),
    },
    setup: {},
    callerTurns,
    botTurns: seen.botTurns,
    turns: measureTurns(seen),
    bargeIns: measureBargeIns(seen),
    backchannels: measureBackchannels(seen),
    toolCalls: [],
    conversation: measureConversation({ ...seen, callerTurns: spokenIn(segments, callerTurns) }),
    media: [],
    delays: [],
    echoes: [],
    instrument: [],
    quality: { ratings: [], tempo: [], signals: speech.signals },
    faults: [],
  };
}

function callerTurn(span: SpeechSpan): CallerTurn {
  return {
    utteranceId: "",
    purpose: "speech",
    onsetAt: span.startAt,
    offsetAt: span.endAt,
    source: "audio",
    ...edgeCertainty(span.uncertaintyMs),
  };
}

/** Joins what the caller says across his own pauses. Both lists are in order. */
function joinTurns(segments: readonly CallerTurn[], bot: readonly SpeechSpan[]): CallerTurn[] {
  const turns: CallerTurn[] = [];
  let next = 0;
  for (const segment of segments) {
    const last = turns.at(-1);
    while (next < bot.length && (bot[next] as SpeechSpan).endAt <= (last?.offsetAt ?? 0)) next += 1;
    const isAnswered = (bot[next]?.startAt ?? Number.POSITIVE_INFINITY) < segment.onsetAt;
    const isPause =
      last !== undefined && betweenMs(last.offsetAt, segment.onsetAt) < CALLER_TURN_GAP_MS;
    if (last !== undefined && isPause && !isAnswered) {
      turns[turns.length - 1] = { ...last, offsetAt: segment.offsetAt };
    } else turns.push(segment);
  }
  return turns;
}

function withPurpose(
  turn: CallerTurn,
  botTurns: readonly { readonly startAt: Instant; readonly endAt: Instant }[],
): CallerTurn {
  const isOverBot = botTurns.some(
    ({ startAt, endAt }) => startAt <= turn.onsetAt && after(turn.onsetAt, TURN_CHANGE_MS) < endAt,
  );
  if (!isOverBot) return turn;
  const isShort = betweenMs(turn.onsetAt, turn.offsetAt) <= BACKCHANNEL_MS;
  return { ...turn, purpose: isShort ? "backchannel" : "interruption" };
}

function named(turns: readonly CallerTurn[]): CallerTurn[] {
  return turns.map((turn, index) => ({ ...turn, utteranceId: `heard-${index + 1}` }));
}

/** The caller's segments, without the pauses of his turns, each with the purpose of its turn. */
function spokenIn(segments: readonly CallerTurn[], turns: readonly CallerTurn[]): CallerTurn[] {
  let at = 0;
  return segments.map((segment) => {
    while ((turns[at]?.offsetAt ?? Number.POSITIVE_INFINITY) < segment.offsetAt) at += 1;
    return { ...segment, purpose: turns[at]?.purpose ?? segment.purpose };
  });
}
