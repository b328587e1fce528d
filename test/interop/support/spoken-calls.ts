import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { resample, type Voice } from "../../../src/audio/index.ts";
import type { Harness, WatchedCall } from "../../../src/index.ts";
import type { FactOf, Party } from "../../../src/timeline/index.ts";
import type { Baresip } from "./baresip.ts";
import { monoWav, type TelephoneAudio } from "./known-speech.ts";
import { settle } from "./settle.ts";

/** Below the ports that we, baresip and the kernel choose for RTP and everything else. */
const PORTS = { first: 7100, last: 9990 } as const;
/** baresip takes the next SIP port as well (TLS), and a third for its control connection. */
const PORTS_EACH = 3;
const ANSWER_LIMIT_MS = 10_000;
const SPEECH_LIMIT_MS = 20_000;
const WAV_HEADER_BYTES = 44;

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
export function gainDb(heard: TelephoneAudio, spoken: TelephoneAudio): number {
  return 10 * Math.log10(energyOf(heard) / energyOf(spoken));
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
