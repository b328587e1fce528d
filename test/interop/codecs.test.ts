import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CodecId, codecOf } from "../../src/codec/index.ts";
import type { Harness, RemoteAgent, WatchedCall } from "../../src/index.ts";
import { CALL_FILES, type Party } from "../../src/timeline/index.ts";
import { LOCAL, openTestHarness } from "../loopback/bench-bot.ts";
import { Baresip, type BaresipOptions } from "./support/baresip.ts";
import { findPhrase, type TelephoneAudio } from "./support/known-speech.ts";
import { report } from "./support/report.ts";
import {
  baresipPorts,
  callWith,
  endCall,
  gainDb,
  heardAt,
  heardByBaresip,
  mediaOf,
  phraseAt,
  speak,
} from "./support/spoken-calls.ts";
import { because, missingReason } from "./support/tools.ts";
import { type CapturedRtp, rtpPackets, timestampSteps } from "./support/tshark.ts";

const CODECS: readonly CodecId[] = ["PCMU", "PCMA", "G722", "opus", "L16/16000", "L16/8000"];
const ADDRESS = "127.0.0.1";
const CALLER_PHRASE = "tell-me-about-the-hotel";
const BOT_PHRASE = "goodbye";
/** Of baresip, before its phrase. */
const SILENCE_BEFORE_MS = 500;
/** The other side's buffer, and what it takes to answer. */
const MARGIN_MS = 800;
/** Of the energy, phrase against phrase; the codecs themselves cost less than 1 dB. */
const GAIN_DB_MAX = 2;
/** Of timestamps: a skipped deadline on a busy machine is no wrong packet length. */
const REGULAR_SHARE_MIN = 0.95;

let test: Awaited<ReturnType<typeof openTestHarness>>;
let harness: Harness;
let caller: RemoteAgent;
let bot: RemoteAgent;

beforeAll(async () => {
  test = await openTestHarness("codecs");
  harness = test.harness;
  const common = { local: LOCAL, media: { codecs: CODECS } };
  caller = await harness.addAgent({ ...common, party: "caller", user: "caller" });
  bot = await harness.addAgent({
    ...common,
    party: "bot",
    user: "bot",
    answer: { kind: "answer", ringMs: 0 },
  });
});

afterAll(() => test.close());

describe("A codec between our caller and our bot", () => {
  it.concurrent.each(CODECS)("%s carries a phrase each way at its level", async (codec) => {
    const call = await caller.dial(bot.uri, { media: { codecs: [codec] } });
    await Promise.all([
      speak(call, "caller", harness.voices.find("caller", CALLER_PHRASE)),
      speak(call, "bot", harness.voices.find("bot", BOT_PHRASE)),
    ]);
    await endCall(call);

    const figures = {
      atBot: judge(await heardAt(call, "bot"), "caller", codec),
      atCaller: judge(await heardAt(call, "caller"), "bot", codec),
    };
    report(`${codec} over loopback`, figures);
    expectHeard(figures.atBot);
    expectHeard(figures.atCaller);
    for (const party of ["caller", "bot"] as const) {
      expect(await mediaOf(call, party)).toMatchObject(agreed(codec));
    }
  });
});

const MISSING = missingReason(["baresip", "tshark"]);

describe.skipIf(MISSING !== undefined)(`Codecs with baresip${because(MISSING)}`, () => {
  const started = new Set<Baresip>();

  afterAll(async () => {
    await Promise.all([...started].map((each) => each.stop()));
  });

  /** It speaks the bot's phrase, at the rate of its (first) codec. */
  async function startBaresip(
    user: string,
    codec: CodecId,
    options: Partial<BaresipOptions> = {},
  ): Promise<Baresip> {
    const sampleRateHz = baresipRateHz(codec);
    const voice = harness.voices.find("bot", BOT_PHRASE);
    const baresip = await Baresip.start({
      user,
      address: ADDRESS,
      ...baresipPorts(),
      sampleRateHz,
      speech: phraseAt(voice, sampleRateHz, SILENCE_BEFORE_MS),
      answers: true,
      codecs: [codec],
      ...options,
    });
    started.add(baresip);
    return baresip;
  }

  async function stopBaresip(baresip: Baresip): Promise<void> {
    started.delete(baresip);
    await baresip.stop();
  }

  describe("called by our caller, and calling our bot", () => {
    it.concurrent.each(CODECS)("%s carries a phrase each way at its level", async (codec) => {
      const user = `peer-${codec.replace("/", "-")}`;
      const baresip = await startBaresip(user, codec);

      const outbound = await caller.dial(baresip.uri, { media: { codecs: [codec] } });
      const first = await converse(outbound, "caller", baresip);
      const coming = callWith(harness, user);
      baresip.dial(bot.uri);
      const inbound = await coming;
      const second = await converse(inbound, "bot", baresip);
      await stopBaresip(baresip);

      report(`${codec} with baresip`, { called: first, calling: second });
      for (const heard of [first, second].flatMap(Object.values)) expectHeard(heard);
      expect(await mediaOf(outbound, "caller")).toMatchObject(agreed(codec));
      expect(await mediaOf(inbound, "bot")).toMatchObject(agreed(codec));
      for (const call of [outbound, inbound]) {
        const wire = await wireOf(call);
        expect(wire.sent).toEqual({ payloadTypes: [wire.payloadType], ptimeMs: 20 });
        expect(wire.received).toEqual({ payloadTypes: [wire.payloadType], ptimeMs: 20 });
      }
    });
  });
});

/** Lets both sides speak, ends the call, and judges what each heard; the figures of one call. */
async function converse(
  call: WatchedCall,
  party: Party,
  baresip: Baresip,
): Promise<{ readonly byUs: Heard; readonly byBaresip: Heard }> {
  const { codec } = await mediaOf(call, party);
  const ours = party === "caller" ? CALLER_PHRASE : BOT_PHRASE;
  const theirs = harness.voices.find("bot", BOT_PHRASE);
  const theirsMs = (theirs.samples.length * 1000) / theirs.sampleRateHz;
  await Promise.all([
    speak(call, party, harness.voices.find(party, ours)),
    delay(SILENCE_BEFORE_MS + theirsMs + MARGIN_MS),
  ]);
  await endCall(call);
  await baresip.waitForEvent("CALL_CLOSED", 5000);
  const calls = party === "caller" ? 0 : 1;
  return {
    byUs: judge(await heardAt(call, party), "bot", codec),
    byBaresip: judge(await heardByBaresip(baresip, calls), party, codec),
  };
}

/** How a phrase arrived. */
interface Heard {
  readonly found: boolean;
  readonly score: number;
  readonly gainDb: number;
}

/** Looks for the phrase that `speaker` says in every call. */
function judge(heard: TelephoneAudio, speaker: Party, codec: string): Heard {
  const id = speaker === "caller" ? CALLER_PHRASE : BOT_PHRASE;
  const { found, score } = findPhrase(harness.voices.all(speaker), id, heard);
  const { sampleRateHz } = codecOf(codec);
  const samples = phraseAt(harness.voices.find(speaker, id), sampleRateHz);
  return { found, score, gainDb: gainDb(heard, { samples, sampleRateHz }) };
}

function expectHeard({ found, score, gainDb: gain }: Heard): void {
  expect({ found, score }).toMatchObject({ found: true });
  expect(Math.abs(gain)).toBeLessThan(GAIN_DB_MAX);
}

/** The rate at which baresip works with a codec. */
function baresipRateHz(codec: CodecId): number {
  return codec === "opus" ? 48_000 : codecOf(codec).sampleRateHz;
}

/** What one direction looked like on the wire. */
interface WireSide {
  readonly payloadTypes: readonly number[];
  /** Of nearly all packets, by their timestamps; `NaN` where it varied. */
  readonly ptimeMs: number;
}

/** The call's packets by its capture, as tshark reads it, and what our facts say of them. */
async function wireOf(call: WatchedCall): Promise<{
  readonly payloadType: number;
  readonly sent: WireSide;
  readonly received: WireSide;
}> {
  const [party = "caller"] = call.parties;
  const media = await mediaOf(call, party);
  await harness.leave(call);
  const packets = await rtpPackets(join(test.folder, "calls", call.id, CALL_FILES.pcap));
  const localPort = Number(/:(\d+)$/u.exec(media.local)?.[1]);
  const side = (matches: (packet: CapturedRtp) => boolean): WireSide => {
    const those = packets.filter(matches);
    const payloadTypes = [...new Set(those.map(({ payloadType }) => payloadType))];
    return { payloadTypes, ptimeMs: (usualStep(those) * 1000) / media.clockRateHz };
  };
  return {
    payloadType: media.payloadType,
    sent: side(({ sourcePort }) => sourcePort === localPort),
    received: side(({ destinationPort }) => destinationPort === localPort),
  };
}

function usualStep(packets: readonly CapturedRtp[]): number {
  const steps = timestampSteps(packets);
  const [usual = Number.NaN] = steps.toSorted((a, b) => a - b).slice(steps.length / 2);
  const share = steps.filter((step) => step === usual).length / steps.length;
  return share >= REGULAR_SHARE_MIN ? usual : Number.NaN;
}

/** What the facts must say of a call with this codec. */
function agreed(codec: CodecId): object {
  const { clockRateHz, sampleRateHz } = codecOf(codec);
  return { codec, clockRateHz, sampleRateHz, ptimeMs: 20 };
}
