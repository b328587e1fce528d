import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CodecId, codecOf } from "../../src/codec/index.ts";
import type { Harness, RemoteAgent, WatchedCall } from "../../src/index.ts";
import type { Fact, FactOf, Party } from "../../src/timeline/index.ts";
import { LOCAL, openTestHarness } from "../loopback/bench-bot.ts";
import { Baresip, type BaresipOptions } from "./support/baresip.ts";
import { findPhrase, type TelephoneAudio } from "./support/known-speech.ts";
import { report } from "./support/report.ts";
import { Sipp } from "./support/sipp.ts";
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
import { callPackets, wireSide } from "./support/tshark.ts";

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
  await warmUp();
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

  async function stopBaresip(baresip: Baresip): Promise<void> {
    started.delete(baresip);
    await baresip.stop();
  }

  describe("calling our bot, and called by our caller", () => {
    it.concurrent.each(CODECS)("%s carries a phrase each way at its level", async (codec) => {
      const user = `peer-${codec.replace("/", "-")}`;
      const baresip = await startBaresip(user, codec);

      const coming = callWith(harness, user);
      baresip.dial(bot.uri);
      const inbound = await coming;
      const first = await converse(inbound, "bot", baresip, 0);
      const outbound = await caller.dial(baresip.uri, { media: { codecs: [codec] } });
      const second = await converse(outbound, "caller", baresip, 1);
      await stopBaresip(baresip);

      report(`${codec} with baresip`, { calling: first, called: second });
      for (const heard of [first, second].flatMap(Object.values)) expectHeard(heard);
      expect(await mediaOf(outbound, "caller")).toMatchObject(agreed(codec));
      expect(await mediaOf(inbound, "bot")).toMatchObject(agreed(codec));
      await expectWire(inbound, 20);
      await expectWire(outbound, 20);
    });
  });

  describe("in longer and shorter packets", () => {
    const cases: [CodecId, 10 | 30 | 40 | 60][] = [
      ["PCMU", 10],
      ["PCMU", 30],
      ["PCMU", 40],
      ["opus", 10],
      ["opus", 40],
      ["opus", 60],
    ];
    it.concurrent.each(cases)("%s in packets of %d ms", async (codec, ptimeMs) => {
      const baresip = await startBaresip(`peer-${codec}-${ptimeMs}`, codec, { ptimeMs });
      const call = await caller.dial(baresip.uri, { media: { codecs: [codec], ptimeMs } });
      const heard = await converse(call, "caller", baresip);
      await stopBaresip(baresip);

      report(`${codec} in packets of ${ptimeMs} ms`, heard);
      for (const each of Object.values(heard)) expectHeard(each);
      expect(await mediaOf(call, "caller")).toMatchObject({ codec, ptimeMs });
      await expectWire(call, ptimeMs);
    });
  });

  it("has no call where there is no codec in common, whoever calls", async () => {
    const media = { codecs: ["PCMU"] } as const;
    const answer = { kind: "answer", ringMs: 0 } as const;
    const narrow = await harness.addAgent({ party: "bot", user: "n", local: LOCAL, media, answer });
    const baresip = await startBaresip("wideband", "G722");
    const coming = callWith(harness, "wideband");
    baresip.dial(narrow.uri);
    const closed = await baresip.waitForEvent("CALL_CLOSED", 5000);
    const inbound = await coming;
    const outbound = await caller.dial(baresip.uri, { media });
    for (const call of [inbound, outbound]) expect(await call.whenEnded(5000)).toBe(true);
    await stopBaresip(baresip);
    await narrow.close();

    expect(closed.param).toContain("488");
    expect(faultsOf(inbound)).toEqual(["ERR_SDP_NO_COMMON_CODEC"]);
    expect(endOf(inbound)).toMatchObject({ endedBy: "local", statusCode: 488 });
    expect(endOf(outbound)).toMatchObject({
      endedBy: "remote",
      reason: "rejected",
      statusCode: 488,
    });
  });

  it("keeps the audio over baresip's hold and resume", async () => {
    const voice = harness.voices.find("bot", BOT_PHRASE);
    const once = phraseAt(voice, 8000, SILENCE_BEFORE_MS);
    const pauseMs = 5000;
    const speech = new Int16Array([...once, ...phraseAt(voice, 8000, pauseMs)]);
    const baresip = await startBaresip("holder", "PCMU", { speech });
    const call = await caller.dial(baresip.uri, { media: { codecs: ["PCMU"] } });
    const { at } = await mediaOf(call, "caller");
    const say = (): Promise<void> =>
      speak(call, "caller", harness.voices.find("caller", CALLER_PHRASE));
    await say();
    await delay(SILENCE_BEFORE_MS);
    const held = await changeOf(call, () => baresip.command("hold"));
    await delay(1000);
    const resumed = await changeOf(call, () => baresip.command("resume"));
    await say();
    const spokenMs = (speech.length * 1000) / 8000 + MARGIN_MS;
    await delay(Math.max(0, spokenMs - (harness.switchboard.clock.now() - at)));
    await endCall(call);

    expect(held).toMatchObject({ codec: "PCMU", direction: "recvonly" });
    expect(resumed).toMatchObject({ codec: "PCMU", direction: "sendrecv" });
    const byUs = await heardAt(call, "caller");
    const byBaresip = await heardByBaresip(baresip);
    await stopBaresip(baresip);
    const resumedSample = Math.round(((resumed.at - at) * 8000) / 1000);
    const afterResume = (audio: TelephoneAudio): TelephoneAudio => ({
      ...audio,
      samples: audio.samples.subarray(resumedSample),
    });
    for (const part of [byUs, afterResume(byUs)]) {
      expect(findPhrase(harness.voices.all("bot"), BOT_PHRASE, part).found).toBe(true);
    }
    // Twice each, and nothing was lost of it.
    const twice = 10 * Math.log10(2);
    const figures = [judge(byUs, "bot", "PCMU"), judge(byBaresip, "caller", "PCMU")];
    report("Held and resumed", figures);
    for (const { found, gainDb: gain } of figures) {
      expect(found).toBe(true);
      expect(Math.abs(gain - twice)).toBeLessThan(1);
    }
    const { sent } = await callPackets(call);
    const sequences = sent.map(({ sequence }) => sequence);
    expect(sequences.length).toBeGreaterThan(100);
    const pauses = sent.slice(1).map((packet, index) => packet.at - (sent[index]?.at ?? 0));
    // While it is held, we send no RTP.
    expect(Math.max(...pauses)).toBeGreaterThan(0.8);
  });
});

const SIPP_MISSING = missingReason(["sipp"]);

describe.skipIf(SIPP_MISSING !== undefined)(`Codecs with SIPp${because(SIPP_MISSING)}`, () => {
  it.concurrent("goes over to another codec in mid-call", async () => {
    const { sipPort: port, controlPort } = await baresipPorts();
    const coming = callWith(harness, "changer");
    const sipp = await Sipp.startCaller({
      address: ADDRESS,
      port,
      calls: 1,
      target: `${ADDRESS}:${bot.local.port}`,
      user: "bot",
      callsPerSecond: 1,
      holdMs: 0,
      scenario: CHANGES_CODEC,
      extraArgs: ["-rtp_echo", "-mp", String(controlPort)],
    });
    const call = await coming;
    const { at, codec } = await mediaOf(call, "bot");
    const say = (): Promise<void> => speak(call, "bot", harness.voices.find("bot", BOT_PHRASE));
    const changing = changeOf(call, () => undefined);
    await say();
    const changed = await changing;
    await say();
    const result = await sipp.finish(10_000);
    await call.whenEnded(5000);

    expect(codec).toBe("PCMU");
    expect(changed).toMatchObject({ codec: "G722", payloadType: 9, direction: "sendrecv" });
    expect(result).toMatchObject({ successful: 1, failed: 0 });
    const { samples, sampleRateHz } = await heardAt(call, "bot");
    const cut = Math.round(((changed.at - at) * sampleRateHz) / 1000);
    for (const part of [samples.subarray(0, cut), samples.subarray(cut)]) {
      const heard = judge({ samples: part, sampleRateHz }, "bot", "PCMU");
      report("Echoed before and after the change of codec", heard);
      expectHeard(heard);
    }
  });

  it.concurrent("gives up where an answer has none of the codecs offered", async () => {
    const { sipPort: port } = await baresipPorts();
    const sipp = await Sipp.startAnswerer({ address: ADDRESS, port, calls: 1 });
    await delay(500);
    const media = { codecs: ["PCMA"] } as const;
    const call = await caller.dial(`sip:service@${ADDRESS}:${port}`, { media });
    expect(await call.whenEnded(5000)).toBe(true);
    await sipp.stop();

    expect(faultsOf(call)).toEqual(["ERR_SDP_NO_COMMON_CODEC"]);
    expect(endOf(call)).toMatchObject({ endedBy: "local", reason: "noCommonCodec" });
  });
});

/** A caller who changes from PCMU to G.722 after some seconds, and stays as long. */
const CHANGES_CODEC = sippCaller([
  { payloadType: 0, encoding: "PCMU/8000", staysMs: 2500 },
  { payloadType: 9, encoding: "G722/8000", staysMs: 2700 },
]);

function sippCaller(
  offers: readonly {
    readonly payloadType: number;
    readonly encoding: string;
    readonly staysMs: number;
  }[],
): string {
  const head = (method: string, cseq: number): string => `${method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:changer@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
Call-ID: [call_id]
CSeq: ${cseq} ${method}
Contact: <sip:changer@[local_ip]:[local_port]>
Max-Forwards: 70`;
  const exchanges = offers.map(({ payloadType, encoding, staysMs }, index) => {
    const cseq = index + 1;
    return `<send retrans="500"><![CDATA[
${head("INVITE", cseq)}
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 ${cseq} IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP ${payloadType}
a=rtpmap:${payloadType} ${encoding}
]]></send>
<recv response="100" optional="true"/>
<recv response="180" optional="true"/>
<recv response="200"/>
<send><![CDATA[
${head("ACK", cseq)}
Content-Length: 0

]]></send>
<pause milliseconds="${staysMs}"/>`;
  });
  return `<?xml version="1.0"?>
<scenario name="changes its codec">
${exchanges.join("\n")}
<send retrans="500"><![CDATA[
${head("BYE", offers.length + 1)}
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
`;
}

/** Does something that makes the peer offer again, and waits for what came of it. */
async function changeOf(call: WatchedCall, change: () => void): Promise<FactOf<"mediaChanged">> {
  const before = new Set<Fact>(call.timeline.of("mediaChanged"));
  const isNew = (fact: Fact): boolean => fact.kind === "mediaChanged" && !before.has(fact);
  const coming = call.waitFor(isNew, 10_000);
  change();
  const fact = await coming;
  if (fact?.kind !== "mediaChanged") throw new Error("The media did not change.");
  return fact;
}

function faultsOf(call: WatchedCall): string[] {
  return call.timeline.of("fault").map(({ code }) => code);
}

function endOf(call: WatchedCall): unknown {
  return call.timeline.of("callPhase").find(({ phase }) => phase === "ended");
}

/** One payload type each way, that which the facts name, in packets of one length. */
async function expectWire(call: WatchedCall, ptimeMs: number): Promise<void> {
  const [party = "caller"] = call.parties;
  const { payloadType, clockRateHz } = await mediaOf(call, party);
  const { sent, received } = await callPackets(call);
  const wanted = { payloadTypes: [payloadType], ptimeMs };
  expect({
    sent: wireSide(sent, clockRateHz),
    received: wireSide(received, clockRateHz),
  }).toEqual({ sent: wanted, received: wanted });
}

/** A thread's first calls are late, by what it has to compile; figures are taken of later ones. */
async function warmUp(): Promise<void> {
  for (const codec of CODECS) {
    const call = await caller.dial(bot.uri, { media: { codecs: [codec] } });
    await mediaOf(call, "bot");
    await delay(200);
    await endCall(call);
  }
}

/** Lets both sides speak, ends the call, and judges what each heard; the figures of one call. */
async function converse(
  call: WatchedCall,
  party: Party,
  baresip: Baresip,
  index = 0,
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
  return {
    byUs: judge(await heardAt(call, party), "bot", codec),
    byBaresip: judge(await heardByBaresip(baresip, index), party, codec),
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

/** What the facts must say of a call with this codec. */
function agreed(codec: CodecId): object {
  const { clockRateHz, sampleRateHz } = codecOf(codec);
  return { codec, clockRateHz, sampleRateHz, ptimeMs: 20 };
}
