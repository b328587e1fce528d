import { instant, type Random, seededRandom } from "../../../src/environment/index.ts";
import type { CallerTurn, CallRecord, RecordedAudio } from "../../../src/measure/index.ts";
import type { CallDescription, Fact, FactDraft, Party } from "../../../src/timeline/index.ts";

/** A stretch of speech, in ms from the start of the recording. */
export interface Speech {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A caller's utterance of a synthetic call. */
export interface PlannedUtterance extends Speech {
  readonly id: string;
  readonly purpose?: CallerTurn["purpose"];
}

/** A response of a synthetic bot; `speech` as it leaves the bot. */
export interface PlannedResponse {
  readonly id: string;
  readonly speech: readonly Speech[];
  readonly stoppedMs?: number;
  readonly createdMs?: number;
  readonly firstAudioMs?: number;
  readonly playoutStartedMs?: number;
  readonly playoutEndedMs?: number;
  readonly flushedMs?: number;
}

/** Everything known of a synthetic call. Instants are `originMs` + ms from the recording's start. */
export interface CallPlan {
  readonly originMs?: number;
  readonly endMs: number;
  readonly networkMs?: number;
  readonly playoutMs?: number;
  readonly utterances: readonly PlannedUtterance[];
  readonly responses: readonly PlannedResponse[];
  /** Further facts; `at` and other instants are made by `at(ms)`. */
  readonly facts?: (at: (ms: number) => ReturnType<typeof instant>) => readonly Fact[];
  /** False: the bot is somebody else's, and only what the caller heard is known. */
  readonly botKnown?: boolean;
  readonly withAudio?: boolean;
  readonly id?: string;
}

const SAMPLE_RATE_HZ = 8000;

/** Builds the record of a call whose truth is the plan. */
export function syntheticCall(plan: CallPlan): CallRecord {
  const { originMs = 1_000_000 } = plan;
  const at = (ms: number): ReturnType<typeof instant> => instant(originMs + ms);
  const networkMs = plan.networkMs ?? 10;
  const playoutMs = plan.playoutMs ?? 60;
  const { botKnown = true, withAudio = true } = plan;
  const sent = plan.responses.flatMap(({ speech }) => speech);
  const left = noiseBursts(plan.utterances, plan.endMs, seededRandom("left"));
  const right = noiseBursts(sent, plan.endMs, seededRandom("right"));
  const recorded = (leftMs: number, rightMs: number): RecordedAudio => ({
    sampleRateHz: SAMPLE_RATE_HZ,
    startedAt: at(0),
    left: later(left, leftMs),
    right: later(right, rightMs),
  });
  const facts = [
    ...setupFacts(plan, at, playoutMs),
    ...plan.utterances.flatMap((utterance) => utteranceFacts(utterance, at)),
    ...(botKnown ? plan.responses.flatMap((response) => responseFacts(response, at)) : []),
    ...(plan.facts?.(at) ?? []),
  ].toSorted((a, b) => a.at - b.at);
  return {
    description: descriptionOf(plan),
    facts,
    ...(withAudio ? { audio: recorded(0, networkMs + playoutMs) } : {}),
    ...(withAudio && botKnown ? { botAudio: recorded(networkMs + 20, 0) } : {}),
  };
}

function descriptionOf(plan: CallPlan): CallDescription {
  return {
    version: 1,
    sidetoneVersion: "0.0.0",
    id: plan.id ?? "001-synthetic",
    callId: "synthetic@127.0.0.1",
    direction: "outbound",
    local: "sip:caller@127.0.0.1:5062",
    remote: "sip:bot@127.0.0.1:5060",
    startedAt: "2026-11-22T15:00:00.000Z",
    seed: "1",
    node: "v20.20.2",
    platform: "linux-x64",
    parties: plan.botKnown === false ? ["caller"] : ["caller", "bot"],
  };
}

/** A fact of a party; saves naming the party in every literal. */
export function by(party: Party, draft: FactDraft): Fact {
  return { ...draft, party };
}

/** Faint noise with loud bursts in it, edges exact to the sample. */
function noiseBursts(bursts: readonly Speech[], durationMs: number, random: Random): Int16Array {
  const samples = new Int16Array((durationMs * SAMPLE_RATE_HZ) / 1000);
  let previous = 0;
  for (let index = 0; index < samples.length; index += 1) {
    const ms = (index * 1000) / SAMPLE_RATE_HZ;
    const isLoud = bursts.some(({ fromMs, toMs }) => fromMs <= ms && ms < toMs);
    // The envelope wavers as syllables do, but never vanishes.
    const envelope = isLoud ? 5000 + 3000 * Math.sin(ms / 40) : 6;
    // Differences of white noise: like telephone speech, it has next to nothing below 300 Hz.
    const white = random() * 2 - 1;
    samples[index] = Math.round((white - previous) * envelope);
    previous = white;
  }
  return samples;
}

/** The same sound, so much later; as long as before. */
function later(samples: Int16Array, byMs: number): Int16Array {
  const shift = Math.round((byMs * SAMPLE_RATE_HZ) / 1000);
  const shifted = new Int16Array(samples.length);
  shifted.set(samples.subarray(0, samples.length - shift), shift);
  // The faint noise goes on; there is nothing to shift in.
  shifted.set(samples.subarray(0, shift));
  return shifted;
}

type AtMs = (ms: number) => ReturnType<typeof instant>;

function setupFacts(plan: CallPlan, at: AtMs, playoutMs: number): Fact[] {
  const networkMs = plan.networkMs ?? 10;
  return [
    by("caller", { kind: "callPhase", phase: "dialed", at: at(-200) }),
    by("caller", { kind: "callPhase", phase: "ringing", at: at(-150), statusCode: 180 }),
    by("caller", { kind: "callPhase", phase: "answered", at: at(0), statusCode: 200 }),
    by("caller", { kind: "recordingStarted", at: at(0), sampleRateHz: SAMPLE_RATE_HZ }),
    by("caller", {
      kind: "mediaStarted",
      at: at(1),
      codec: "PCMU",
      payloadType: 0,
      ptimeMs: 20,
      clockRateHz: 8000,
      sampleRateHz: 8000,
      local: "127.0.0.1:40000",
      remote: "127.0.0.1:40002",
      playoutDelayMs: playoutMs,
      ssrc: 1,
    }),
    by("bot", { kind: "rtpFlow", direction: "sent", event: "first", at: at(5) }),
    by("caller", { kind: "rtpFlow", direction: "received", event: "first", at: at(5 + networkMs) }),
    by("caller", {
      kind: "callPhase",
      phase: "ended",
      at: at(plan.endMs),
      endedBy: "local",
      reason: "bye",
    }),
  ];
}

function utteranceFacts(utterance: PlannedUtterance, at: AtMs): Fact[] {
  const { id, fromMs, toMs, purpose = "speech" } = utterance;
  const known = {
    kind: "utterance" as const,
    utteranceId: id,
    fixture: `caller/${id}`,
    purpose,
    onsetAt: at(fromMs),
    offsetAt: at(toMs),
  };
  return [
    by("caller", { ...known, event: "started", at: at(fromMs) }),
    by("caller", { ...known, event: "ended", at: at(toMs) }),
  ];
}

function responseFacts(response: PlannedResponse, at: AtMs): Fact[] {
  const responseId = response.id;
  const facts: Fact[] = [];
  const add = (ms: number | undefined, make: (at: ReturnType<AtMs>) => FactDraft): void => {
    if (ms !== undefined) facts.push(by("bot", make(at(ms))));
  };
  const playout = (event: "started" | "ended" | "flushed") => (instantOf: ReturnType<AtMs>) =>
    ({ kind: "playout", event, responseId, playedMs: 0, at: instantOf }) as const;
  add(response.stoppedMs, (instantOf) => ({
    kind: "aiCallerSpeech",
    event: "stopped",
    audioMs: 0,
    at: instantOf,
  }));
  add(response.createdMs, (instantOf) => ({
    kind: "aiResponse",
    event: "created",
    responseId,
    at: instantOf,
  }));
  add(response.firstAudioMs, (instantOf) => ({
    kind: "aiResponse",
    event: "firstAudio",
    responseId,
    at: instantOf,
  }));
  add(response.playoutStartedMs, playout("started"));
  add(response.playoutEndedMs, playout("ended"));
  add(response.flushedMs, playout("flushed"));
  return facts;
}
