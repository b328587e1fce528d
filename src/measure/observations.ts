import { type Instant, instant } from "../environment/index.ts";
import {
  type AiInputClockFact,
  decodeFacts,
  encodeFacts,
  type Fact,
  type Party,
} from "../timeline/index.ts";
import type { SpeechPiece } from "./bot-turns.ts";
import { attribute, botTurnsOf, PIECE_GAP_MS, SEGMENT_GAP_MS, segmentsOf } from "./bot-turns.ts";
import type { BotTurn, CallerTurn } from "./call-metrics.ts";
import type { CallRecord, RecordedAudio } from "./call-record.ts";
import { callerTurnsOf } from "./caller-turns.ts";
import { confirmed } from "./confirmed-pieces.ts";
import type { DelayMetrics, EchoMetrics } from "./delay-metrics.ts";
import { echoOf, measureDelays, measureEchoes, placed } from "./delays.ts";
import { factsOf } from "./facts-of.ts";
import { recordingMs, type SpeechSpan, speechIn } from "./recording.ts";
import { type ResponseTrack, responsesOf } from "./responses.ts";
import { roundInstant } from "./time-spans.ts";
import { withoutTones } from "./tones.ts";
import { type UnsteadySpan, unsteadySpans } from "./unsteady.ts";
import { withoutEcho } from "./without-echo.ts";

/** What the figures are computed from: facts and speech on one time axis. */
export interface Observations {
  readonly facts: readonly Fact[];
  readonly heardAt: Party | undefined;
  /** The recording in which speech is heard: the caller's, else the bot's. */
  readonly recording: RecordedAudio | undefined;
  readonly callerTurns: readonly CallerTurn[];
  /** The bot's speech as heard, cut at every pause of 100 ms. */
  readonly pieces: readonly SpeechPiece[];
  readonly botTurns: readonly BotTurn[];
  readonly responses: ReadonlyMap<string, ResponseTrack>;
  /** The bot's speech as it left the bot; missing where the bot is not ours. */
  readonly sent: readonly SpeechSpan[] | undefined;
  /** The caller's speech as it arrived at the bot. */
  readonly received: readonly SpeechSpan[] | undefined;
  /** How much later each end heard the other. */
  readonly delays: readonly DelayMetrics[];
  /** When our own ends kept time badly. */
  readonly unsteady: readonly UnsteadySpan[];
  /** Whose voice comes back to it. */
  readonly echoes: readonly EchoMetrics[];
  readonly inputClock: readonly AiInputClockFact[];
  /** Estimate of bot's departure → heard. */
  readonly deliveryMs: number;
  /** The end of the call, or else of what is known of it. */
  readonly endAt: Instant;
}

/**
 * Reads a record. Facts pass through their written form first, so that a live call and its
 * folder give the same figures to the last bit.
 */
export function observe(record: CallRecord): Observations {
  const facts = decodeFacts(encodeFacts(record.facts)).filter((fact) => !isOfTester(fact));
  const audio = onTheMicrosecond(record.audio);
  const botAudio = onTheMicrosecond(record.botAudio);
  const recording = audio ?? botAudio;
  const heardAt = audio === undefined ? recording && "bot" : "caller";
  const recordedAt = heardAt ?? "caller";
  const echoes = measureEchoes(record);
  const spoken =
    recording &&
    withoutTones(callerSpeechIn(recording, echoes), facts, { speaker: "caller", recordedAt });
  const unsteady = unsteadySpans(facts);
  const callerTurns = callerTurnsOf(facts, spoken, unsteady);
  const responses = responsesOf(facts);
  const deliveryMs = heardAt === "caller" ? estimateDeliveryMs(facts) : 0;
  const heard = withoutTones(botSpeechIn(recording, heardAt, echoes), facts, {
    speaker: "bot",
    recordedAt,
  });
  const sent = botAudio && speechIn(botAudio, "right", PIECE_GAP_MS);
  const delays = measureDelays(record);
  const pieces = attribute(comparedWith(sent, heard, delays), responses, deliveryMs);
  return {
    facts,
    heardAt,
    recording,
    callerTurns,
    pieces,
    botTurns: botTurnsOf(segmentsOf(pieces), callerTurns),
    responses: new Map(responses.map((track) => [track.responseId, track])),
    sent,
    delays,
    echoes,
    received: botAudio && speechIn(botAudio, "left", SEGMENT_GAP_MS),
    unsteady,
    inputClock: factsOf(facts, "aiInputClock", "bot"),
    deliveryMs,
    endAt: endOf(facts, recording),
  };
}

/** The caller's speech in a recording, without the bot's voice that the caller's line gave back. */
function callerSpeechIn(
  recording: RecordedAudio,
  echoes: readonly EchoMetrics[],
): readonly SpeechSpan[] {
  const speech = speechIn(recording, "left", SEGMENT_GAP_MS);
  if (!echoes.some(({ party }) => party === "bot")) return speech;
  const audio = { sent: placed(recording, "right"), heard: placed(recording, "left") };
  return withoutEcho(speech, audio, echoOf("bot", audio.sent, audio.heard), SEGMENT_GAP_MS);
}

/** The bot's speech in a recording, without the caller's own voice that came back to the caller. */
function botSpeechIn(
  recording: RecordedAudio | undefined,
  heardAt: Party | undefined,
  echoes: readonly EchoMetrics[],
): readonly SpeechSpan[] {
  if (recording === undefined) return [];
  const speech = speechIn(recording, "right", PIECE_GAP_MS);
  if (heardAt !== "caller") return speech;
  const audio = { sent: placed(recording, "left"), heard: placed(recording, "right") };
  const own = echoes.find(({ party }) => party === "caller");
  return withoutEcho(speech, audio, own, PIECE_GAP_MS);
}

/** Speech as the caller heard it, each edge compared with what the bot sent, where that is known. */
function comparedWith(
  sent: readonly SpeechSpan[] | undefined,
  heard: readonly SpeechSpan[],
  delays: readonly DelayMetrics[],
): readonly SpeechPiece[] {
  const toCaller = delays.find(({ heardBy }) => heardBy === "caller");
  return sent === undefined || toCaller === undefined ? heard : confirmed(heard, sent, toCaller);
}

/**
 * What is known of the inside of an AI that plays the caller, and what was found of the call later:
 * figures are about the bot, and end with the call.
 */
const AI_KINDS: ReadonlySet<Fact["kind"]> = new Set([
  "aiSession",
  "aiUsage",
  "aiCallerSpeech",
  "aiInputClock",
  "aiResponse",
  "aiTranscript",
  "playout",
  "interruption",
  "toolCall",
  "judgement",
]);

function isOfTester({ kind, party }: Fact): boolean {
  return party === "caller" && AI_KINDS.has(kind);
}

function onTheMicrosecond(audio: RecordedAudio | undefined): RecordedAudio | undefined {
  return audio && { ...audio, startedAt: roundInstant(audio.startedAt) };
}

/** The first packet's way from the bot to the caller, and the caller's playout delay. */
function estimateDeliveryMs(facts: readonly Fact[]): number {
  const playoutDelayMs = factsOf(facts, "mediaStarted", "caller")[0]?.playoutDelayMs ?? 0;
  const first = (party: Party, direction: "sent" | "received"): Instant | undefined =>
    factsOf(facts, "rtpFlow", party).find(
      (fact) => fact.event === "first" && fact.direction === direction,
    )?.at;
  const sentAt = first("bot", "sent");
  const receivedAt = first("caller", "received");
  if (sentAt === undefined || receivedAt === undefined) return playoutDelayMs;
  return playoutDelayMs + Math.min(1000, Math.max(0, receivedAt - sentAt));
}

function endOf(facts: readonly Fact[], recording: RecordedAudio | undefined): Instant {
  const ended = factsOf(facts, "callPhase").find((fact) => fact.phase === "ended");
  if (ended !== undefined) return ended.at;
  const lastFactAt = facts.at(-1)?.at ?? 0;
  const audioEndAt = recording === undefined ? 0 : recording.startedAt + recordingMs(recording);
  return roundInstant(instant(Math.max(lastFactAt, audioEndAt)));
}
