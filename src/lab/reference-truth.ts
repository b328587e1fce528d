import type { CallArtifacts } from "../call/index.ts";
import { MULAW } from "../codec/index.ts";
import { after, elapsedMs, type Instant } from "../environment/index.ts";
import { type CallRecord, quantile, type RecordedAudio } from "../measure/index.ts";
import type { Party } from "../timeline/index.ts";
import { type CapturedRtp, type CapturedUdp, readCapture, rtpIn } from "./captured-packets.ts";
import type { CallerSpeech, ReferencePlan } from "./reference-plan.ts";
import { SentSpeech } from "./sent-speech.ts";

/** When a stretch of the caller's speech began and ended, by what left the caller's socket. */
export interface SpokenTruth {
  readonly onsetAt: Instant;
  readonly offsetAt: Instant;
}

/** When a stretch of the bot's speech could be heard: departure + the call's constant delay. */
export interface HeardTruth {
  readonly startAt: Instant;
  /** At the earliest, and at the latest; they differ where packets were lost at the end. */
  readonly endAt: Instant;
  readonly endUntilAt: Instant;
  /** A packet at an edge was lost: it is heard elsewhere than it was sent. */
  readonly hasLostEdge: boolean;
}

/** What happened in a reference call, by the packets at both sockets and nothing else. */
export interface ReferenceTruth {
  /** From a packet's departure at the bot until the caller hears it; the median of many. */
  readonly deliveryMs: number;
  readonly question: SpokenTruth;
  readonly answer: HeardTruth;
  readonly interruption: SpokenTruth;
  readonly secondAnswer: HeardTruth;
  readonly invitedAt: Instant;
  readonly rangAt: Instant;
  readonly answeredAt: Instant;
  readonly byeAt: Instant;
}

/** A delay of the jitter buffer, network included, is looked for up to this. */
const DELIVERY_MS_MAX = 400;
/** Half a frame: playout moves by more, departures jitter by less in the median. */
const DELIVERY_SPREAD_MS_MAX = 10;

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
  const toBot = { ...how, arrived: numbersOf(bot.received) };
  const toCaller = { ...how, arrived: numbersOf(caller.received) };
  const question = SentSpeech.find(plan.question.speech.samples, caller.sent, toBot);
  const interruption = SentSpeech.find(plan.interruption.speech.samples, caller.sent, toBot);
  const answer = SentSpeech.find(plan.answer.speech.samples, bot.sent, toCaller);
  const second = SentSpeech.find(plan.secondAnswer.speech.samples, bot.sent, toCaller);
  const deliveryMs = constantDelivery(
    [answer, second].map((speech) => (speech === undefined ? [] : deliveriesOf(speech, audio))),
  );
  const heard = (speech: SentSpeech | undefined): HeardTruth | undefined =>
    heardTruth(speech, deliveryMs);
  return complete({
    deliveryMs,
    question: spokenTruth(question, plan.question.speech, how.rateHz),
    answer: heard(answer),
    interruption: spokenTruth(interruption, plan.interruption.speech, how.rateHz),
    secondAnswer: heard(second),
    invitedAt: firstMessage(caller, "INVITE "),
    rangAt: firstMessage(bot, "SIP/2.0 180"),
    answeredAt: firstMessage(bot, "SIP/2.0 200"),
    byeAt: firstMessage(bot, "BYE "),
  });
}

/**
 * The median, where that of each half of each stretch is much the same. On a host that stood still
 * for longer than its jitter buffer lasts, playout was moved: then no one delay can be taken off.
 */
function constantDelivery(stretches: readonly (readonly number[])[]): number | undefined {
  const halves = stretches.flatMap((all) => {
    const middle = Math.ceil(all.length / 2);
    return [all.slice(0, middle), all.slice(middle)];
  });
  const medians = halves.filter((half) => half.length > 0).map(median);
  if (medians.length === 0) return undefined;
  if (Math.max(...medians) - Math.min(...medians) > DELIVERY_SPREAD_MS_MAX) return undefined;
  return median(stretches.flat());
}

function median(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

interface Captured {
  readonly frameSamples: number;
  readonly sent: readonly CapturedRtp[];
  readonly received: readonly CapturedRtp[];
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
    sent: rtpIn(datagrams.filter(({ from }) => from === media.local)),
    received: rtpIn(datagrams.filter(({ to }) => to === media.local)),
    sipSent: datagrams.filter(({ from }) => from === sip.local),
  };
}

function numbersOf(packets: readonly CapturedRtp[]): ReadonlySet<number> {
  return new Set(packets.map(({ sequenceNumber }) => sequenceNumber));
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

function heardTruth(
  speech: SentSpeech | undefined,
  deliveryMs: number | undefined,
): HeardTruth | undefined {
  const startAt = speech?.firstArrivedAt;
  const end = speech?.lastHeard;
  if (speech === undefined || startAt === undefined || end === undefined) return undefined;
  if (deliveryMs === undefined) return undefined;
  return {
    startAt: after(startAt, deliveryMs),
    endAt: after(end.earliest, deliveryMs),
    endUntilAt: after(end.latest, deliveryMs),
    hasLostEdge: speech.hasLostEdge,
  };
}

/** Departure → heard of each frame that stands in what was heard as it was sent, bit for bit. */
function deliveriesOf(speech: SentSpeech, audio: RecordedAudio): number[] {
  const perMs = audio.sampleRateHz / 1000;
  return speech.frames.flatMap(({ packet, hasArrived, isDistinct }) => {
    if (!hasArrived || !isDistinct) return [];
    const samples = new Int16Array(packet.payload.length);
    MULAW.expand(packet.payload, samples);
    const from = Math.max(0, Math.floor(elapsedMs(audio.startedAt, packet.at) * perMs));
    const position = positionOf(samples, audio.right, from, from + DELIVERY_MS_MAX * perMs);
    if (position === undefined) return [];
    return [elapsedMs(packet.at, after(audio.startedAt, position / perMs))];
  });
}

function positionOf(
  wanted: Int16Array,
  heard: Int16Array,
  from: number,
  until: number,
): number | undefined {
  const last = Math.min(until, heard.length - wanted.length);
  for (let position = from; position <= last; position += 1) {
    if (wanted.every((sample, index) => sample === heard[position + index])) return position;
  }
  return undefined;
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
