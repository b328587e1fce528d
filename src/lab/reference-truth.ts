import { ABRUPT_EDGE_MS } from "../audio/index.ts";
import type { CallArtifacts } from "../call/index.ts";
import { after, elapsedMs, type Instant } from "../environment/index.ts";
import type { CallRecord, RecordedAudio } from "../measure/index.ts";
import type { Party } from "../timeline/index.ts";
import { type CapturedRtp, type CapturedUdp, readCapture, rtpIn } from "./captured-packets.ts";
import { deliveryOf, HeardSpeech } from "./heard-speech.ts";
import type { CallerSpeech, ReferencePlan } from "./reference-plan.ts";
import { SentSpeech } from "./sent-speech.ts";

/** When a stretch of the caller's speech began and ended, by what left the caller's socket. */
export interface SpokenTruth {
  readonly onsetAt: Instant;
  readonly offsetAt: Instant;
}

/**
 * When a stretch of the bot's speech is heard, by the definition of an edge: it begins and ends at
 * once, and so its edges lie `ABRUPT_EDGE_MS` outside of its first and last sample.
 */
export interface HeardTruth {
  readonly startAt: Instant;
  /** At the earliest, and at the latest; they differ where packets were lost at the end. */
  readonly endAt: Instant;
  readonly endUntilAt: Instant;
  /** A frame at an edge was lost: it is heard elsewhere than it was sent. */
  readonly hasLostEdge: boolean;
}

/** What happened in a reference call, by the packets at both sockets and nothing else. */
export interface ReferenceTruth {
  /** From a packet's departure at the bot until the caller hears it, and how far that moved. */
  readonly delivery: { readonly medianMs: number; readonly movedMs: number };
  /**
   * How far what was heard lies, in the recording, off the ticks at which the caller's own packets
   * left: it plays in the same ticks. Known up to whole frames.
   */
  readonly recordingClockMs: number;
  readonly question: SpokenTruth;
  readonly answer: HeardTruth;
  readonly interruption: SpokenTruth;
  readonly secondAnswer: HeardTruth;
  readonly invitedAt: Instant;
  readonly rangAt: Instant;
  readonly answeredAt: Instant;
  readonly byeAt: Instant;
}

/**
 * The truth of a call that followed the plan; `undefined` where the packets do not show all of it:
 * then our own side did not carry out the plan.
 */
export function truthOf(
  plan: ReferencePlan,
  record: CallRecord,
  artifacts: ReadonlyMap<Party, CallArtifacts>,
): ReferenceTruth | undefined {
  const caller = capturedAt("caller", record, artifacts);
  const bot = capturedAt("bot", record, artifacts);
  const { audio } = record;
  if (caller === undefined || bot === undefined || audio === undefined) return undefined;
  const { frameSamples } = caller;
  const how = { rateHz: audio.sampleRateHz, frameSamples };
  const question = SentSpeech.find(plan.question.speech.samples, caller.sent, how);
  const interruption = SentSpeech.find(plan.interruption.speech.samples, caller.sent, how);
  const answer = heardIn(audio, SentSpeech.find(plan.answer.speech.samples, bot.sent, how));
  const second = heardIn(audio, SentSpeech.find(plan.secondAnswer.speech.samples, bot.sent, how));
  if (answer === undefined || second === undefined) return undefined;
  return complete({
    delivery: deliveryOf([answer, second]),
    recordingClockMs: offTicksMs(answer.startAt, caller),
    question: spokenTruth(question, plan.question.speech, how.rateHz),
    answer: heardTruth(answer),
    interruption: spokenTruth(interruption, plan.interruption.speech, how.rateHz),
    secondAnswer: heardTruth(second),
    invitedAt: firstMessage(caller, "INVITE "),
    rangAt: firstMessage(bot, "SIP/2.0 180"),
    answeredAt: firstMessage(bot, "SIP/2.0 200"),
    byeAt: firstMessage(bot, "BYE "),
  });
}

interface Captured {
  readonly frameSamples: number;
  readonly frameMs: number;
  readonly sent: readonly CapturedRtp[];
  readonly sipSent: readonly CapturedUdp[];
}

function capturedAt(
  party: Party,
  record: CallRecord,
  artifacts: ReadonlyMap<Party, CallArtifacts>,
): Captured | undefined {
  const pcap = artifacts.get(party)?.pcap;
  const own = record.facts.filter((fact) => fact.party === party);
  const media = own.find((fact) => fact.kind === "mediaStarted");
  const sip = own.find((fact) => fact.kind === "sipMessage");
  if (pcap === undefined || media === undefined || sip === undefined) {
    return undefined;
  }
  const datagrams = readCapture(pcap, sip.at);
  return {
    frameSamples: (media.ptimeMs * media.sampleRateHz) / 1000,
    frameMs: media.ptimeMs,
    sent: rtpIn(datagrams.filter(({ from }) => from === media.local)),
    sipSent: datagrams.filter(({ from }) => from === sip.local),
  };
}

function spokenTruth(
  speech: SentSpeech | undefined,
  { onsetMs, offsetMs }: CallerSpeech,
  rateHz: number,
): SpokenTruth | undefined {
  if (speech === undefined) return undefined;
  const at = (ms: number): Instant => speech.spokenAt((ms * rateHz) / 1000);
  return { onsetAt: at(onsetMs), offsetAt: at(offsetMs) };
}

function heardIn(audio: RecordedAudio, sent: SentSpeech | undefined): HeardSpeech | undefined {
  return sent && HeardSpeech.locate(sent, audio);
}

function heardTruth({ startAt, end, hasLostEdge }: HeardSpeech): HeardTruth {
  return {
    startAt: after(startAt, -ABRUPT_EDGE_MS),
    endAt: after(end.earliest, ABRUPT_EDGE_MS),
    endUntilAt: after(end.latest, ABRUPT_EDGE_MS),
    hasLostEdge,
  };
}

/**
 * From the nearest tick. Packets of audio leave once a frame, on absolute deadlines or later: that one
 * of them was on time is enough.
 */
function offTicksMs(at: Instant, { sent, frameSamples, frameMs }: Captured): number {
  const audio = sent.filter(({ payload }) => payload.length === frameSamples);
  const [first] = audio;
  if (first === undefined) return 0;
  const perMs = frameSamples / frameMs;
  const sinceMs = audio.map((packet) =>
    elapsedMs(after(packet.at, -((packet.timestamp - first.timestamp) | 0) / perMs), at),
  );
  const offMs = Math.max(...sinceMs) % frameMs;
  return offMs - frameMs * Math.round(offMs / frameMs);
}

function firstMessage(captured: Captured, beginning: string): Instant | undefined {
  const decoder = new TextDecoder();
  return captured.sipSent.find(({ payload }) =>
    decoder.decode(payload.subarray(0, beginning.length)).startsWith(beginning),
  )?.at;
}

/** The same with nothing missing. */
function complete(
  parts: {
    readonly [Key in keyof ReferenceTruth]: ReferenceTruth[Key] | undefined;
  },
): ReferenceTruth | undefined {
  return Object.values(parts).includes(undefined) ? undefined : (parts as ReferenceTruth);
}
