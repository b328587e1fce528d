import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { expect } from "vitest";
import { resample, type Voice } from "../../../src/audio/index.ts";
import { type CodecId, codecOf } from "../../../src/codec/index.ts";
import type { Harness, WatchedCall } from "../../../src/index.ts";
import type { Fact, FactOf, Party } from "../../../src/timeline/index.ts";
import { Baresip, type BaresipOptions } from "./baresip.ts";
import { findPhrase, monoWav, type TelephoneAudio } from "./known-speech.ts";
import { settle } from "./settle.ts";

/** Below the ports that we, baresip and the kernel choose for RTP and everything else. */
const PORTS = { first: 7100, last: 9990 } as const;
/** baresip takes the next SIP port as well (TLS), and a third for its control connection. */
const PORTS_EACH = 3;
const ANSWER_LIMIT_MS = 10_000;
const SPEECH_LIMIT_MS = 20_000;
const WAV_HEADER_BYTES = 44;
/** Of the energy, phrase against phrase; the codecs themselves cost less than 0.5 dB. */
const GAIN_DB_MAX = 2;

export const ADDRESS = "127.0.0.1";
/** What a caller says in these calls, and what a bot and a baresip do. */
export const CALLER_PHRASE = "tell-me-about-the-hotel";
export const BOT_PHRASE = "goodbye";
/** Of baresip, before its phrase. */
export const SILENCE_BEFORE_MS = 500;
/** The other side's buffer, and what it takes to answer. */
export const MARGIN_MS = 800;

let nextPort: number = PORTS.first;
let utteranceCount = 0;

/** Free ports for one more baresip of this test file. */
export async function baresipPorts(): Promise<{
  readonly sipPort: number;
  readonly controlPort: number;
}> {
  for (;;) {
    const sipPort = nextPort;
    nextPort += PORTS_EACH;
    if (nextPort > PORTS.last) throw new Error("No free ports for a baresip.");
    const three = [sipPort, sipPort + 1, sipPort + 2];
    const free = await Promise.all(three.map(isFree));
    if (free.every(Boolean)) return { sipPort, controlPort: sipPort + 2 };
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** A phrase at the given rate, after so much silence. */
export function phraseAt(voice: Voice, sampleRateHz: number, silenceBeforeMs = 0): Int16Array {
  const speech = resample(voice.samples, voice.sampleRateHz, sampleRateHz);
  const before = (silenceBeforeMs * sampleRateHz) / 1000;
  const samples = new Int16Array(before + speech.length);
  samples.set(speech, before);
  return samples;
}

/** The next call with this user of the other side, whichever agent of ours has it. */
export function callWith(harness: Harness, user: string): Promise<WatchedCall> {
  return new Promise((resolve) => {
    const unsubscribe = harness.switchboard.subscribe((call) => {
      // Whose call it is becomes known right after the call itself.
      queueMicrotask(() => {
        if (!call.describe().remote.includes(`sip:${user}@`)) return;
        unsubscribe();
        resolve(call);
      });
    });
  });
}

/** What was agreed on at one end; waits for it. @throws Error where nothing is, in time. */
export async function mediaOf(call: WatchedCall, party: Party): Promise<FactOf<"mediaStarted">> {
  const find = (): FactOf<"mediaStarted"> | undefined =>
    call.timeline.of("mediaStarted").find((fact) => fact.party === party);
  if (find() === undefined) {
    await call.waitFor(
      (fact) => fact.kind === "mediaStarted" && fact.party === party,
      ANSWER_LIMIT_MS,
    );
  }
  const media = find();
  if (media === undefined) throw new Error(`No media at the ${party}: ${endText(call)}`);
  return media;
}

/** Speaks a phrase at one end, and waits until it has left. */
export async function speak(call: WatchedCall, party: Party, voice: Voice): Promise<void> {
  const { sampleRateHz } = await mediaOf(call, party);
  utteranceCount += 1;
  const utteranceId = `spoken-${utteranceCount}`;
  const { onsetMs, offsetMs, id: fixture } = voice;
  const samples = phraseAt(voice, sampleRateHz);
  const start = { kind: "now" } as const;
  const left = call.waitFor(
    (fact) =>
      fact.kind === "utterance" && fact.event === "ended" && fact.utteranceId === utteranceId,
    SPEECH_LIMIT_MS,
  );
  const timing = { onsetMs, offsetMs, start };
  await call.say({ utteranceId, fixture, purpose: "speech", samples, ...timing }, party);
  if ((await left) === undefined) throw new Error(`"${fixture}" was not spoken: ${endText(call)}`);
  // What was said last is still on its way through the other side's jitter buffer.
  await delay(400);
}

/** Hangs up and waits until our ends are done. */
export async function endCall(call: WatchedCall): Promise<void> {
  await call.hangUp(call.parties.includes("caller") ? "caller" : "bot");
  if (!(await call.whenEnded(ANSWER_LIMIT_MS))) throw new Error("The call does not end.");
}

/** What one end of ours heard in the whole call. */
export async function heardAt(call: WatchedCall, party: Party): Promise<TelephoneAudio> {
  const { audio, botAudio } = await call.record();
  const recording = party === "caller" ? audio : botAudio;
  if (recording === undefined) throw new Error(`The ${party} recorded nothing.`);
  const samples = party === "caller" ? recording.right : recording.left;
  return { sampleRateHz: recording.sampleRateHz, samples };
}

/**
 * What a baresip heard in its n-th call (0 is the first); the call must be over. baresip completes
 * the file in a thread of its own, a moment later.
 */
export async function heardByBaresip(baresip: Baresip, index = 0): Promise<TelephoneAudio> {
  let bytesBefore = -1;
  const { value } = await settle(
    async () => (await baresip.heard())[index],
    (file) => {
      const size = file?.length ?? -1;
      const isComplete = size > WAV_HEADER_BYTES && size === bytesBefore;
      bytesBefore = size;
      return isComplete;
    },
    5000,
  );
  return monoWav(value);
}

/**
 * How much louder what was heard is than what was spoken, in dB: the energy of the whole recording
 * against that of the phrase. All else in these calls is digital silence, so that neither the
 * phrase's place nor its length has to be known; what is lost of it counts as too quiet.
 */
function gainDb(heard: TelephoneAudio, spoken: TelephoneAudio): number {
  return 10 * Math.log10(energyOf(heard) / energyOf(spoken));
}

/** Lets both sides speak, ends the call, and judges what each heard. */
export async function converse(
  harness: Harness,
  call: WatchedCall,
  {
    baresip,
    index = 0,
    staysMs = 0,
  }: {
    readonly baresip: Baresip;
    /** Which of its calls this is. */
    readonly index?: number;
    /** For at least so long. */
    readonly staysMs?: number;
  },
): Promise<{ readonly byUs: Heard; readonly byBaresip: Heard }> {
  const [party = "caller"] = call.parties;
  const { codec } = await mediaOf(call, party);
  const ours = party === "caller" ? CALLER_PHRASE : BOT_PHRASE;
  const theirs = harness.voices.find("bot", BOT_PHRASE);
  const theirsMs = (theirs.samples.length * 1000) / theirs.sampleRateHz;
  await Promise.all([
    speak(call, party, harness.voices.find(party, ours)),
    delay(Math.max(staysMs, SILENCE_BEFORE_MS + theirsMs + MARGIN_MS)),
  ]);
  await endCall(call);
  await baresip.waitForEvent("CALL_CLOSED", 5000);
  return {
    byUs: judge(harness, await heardAt(call, party), "bot", codec),
    byBaresip: judge(harness, await heardByBaresip(baresip, index), party, codec),
  };
}

/** How a phrase arrived. */
export interface Heard {
  readonly found: boolean;
  readonly score: number;
  readonly gainDb: number;
}

/** Looks for the phrase that `speaker` says in every call. */
export function judge(
  harness: Harness,
  heard: TelephoneAudio,
  speaker: Party,
  codec: string,
): Heard {
  const id = speaker === "caller" ? CALLER_PHRASE : BOT_PHRASE;
  const { found, score } = findPhrase(harness.voices.all(speaker), id, heard);
  const { sampleRateHz } = codecOf(codec);
  const samples = phraseAt(harness.voices.find(speaker, id), sampleRateHz);
  return { found, score, gainDb: gainDb(heard, { samples, sampleRateHz }) };
}

export function expectHeard({ found, score, gainDb: gain }: Heard): void {
  expect({ found, score }).toMatchObject({ found: true });
  expect(Math.abs(gain)).toBeLessThan(GAIN_DB_MAX);
}

const started = new Set<Baresip>();

/** A baresip that answers, and speaks the bot's phrase at the rate of its one codec. */
export async function startBaresip(
  harness: Harness,
  {
    user,
    codec = "PCMU",
    ...options
  }: { readonly user: string; readonly codec?: CodecId } & Partial<BaresipOptions>,
): Promise<Baresip> {
  const sampleRateHz = codec === "opus" ? 48_000 : codecOf(codec).sampleRateHz;
  const voice = harness.voices.find("bot", BOT_PHRASE);
  const baresip = await Baresip.start({
    user,
    address: ADDRESS,
    ...(await baresipPorts()),
    sampleRateHz,
    speech: phraseAt(voice, sampleRateHz, SILENCE_BEFORE_MS),
    answers: true,
    codecs: [codec],
    ...options,
  });
  started.add(baresip);
  return baresip;
}

/** Stops all that this test file started, whatever became of its tests. */
export async function stopBaresips(): Promise<void> {
  await Promise.all([...started].map((each) => each.stop()));
  started.clear();
}

/** Does something that makes the peer offer again, and waits for what came of it. */
export async function changeOf(
  call: WatchedCall,
  change: () => void,
): Promise<FactOf<"mediaChanged">> {
  const before = new Set<Fact>(call.timeline.of("mediaChanged"));
  const isNew = (fact: Fact): boolean => fact.kind === "mediaChanged" && !before.has(fact);
  const coming = call.waitFor(isNew, 10_000);
  change();
  const fact = await coming;
  if (fact?.kind !== "mediaChanged") throw new Error("The media did not change.");
  return fact;
}

export function faultsOf(call: WatchedCall): string[] {
  return call.timeline.of("fault").map(({ code }) => code);
}

export function endOf(call: WatchedCall): unknown {
  return call.timeline.of("callPhase").find(({ phase }) => phase === "ended");
}

function energyOf({ samples, sampleRateHz }: TelephoneAudio): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  return sum / sampleRateHz;
}

function endText(call: WatchedCall): string {
  const faults = call.timeline.of("fault").map(({ code, message }) => `${code} ${message}`);
  return [...call.timeline.of("callPhase").map(({ phase }) => phase), ...faults].join(", ");
}
