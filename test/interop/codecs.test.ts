import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CodecId, codecOf } from "../../src/codec/index.ts";
import type { Harness, RemoteAgent, WatchedCall } from "../../src/index.ts";
import { LOCAL, openTestHarness } from "../loopback/bench-bot.ts";
import { report } from "./support/report.ts";
import { Sipp } from "./support/sipp.ts";
import { sippScenario } from "./support/sipp-scenario.ts";
import {
  ADDRESS,
  BOT_PHRASE,
  baresipPorts,
  CALLER_PHRASE,
  callWith,
  changeOf,
  converse,
  endCall,
  endOf,
  expectHeard,
  faultsOf,
  heardAt,
  heardByBaresip,
  judge,
  MARGIN_MS,
  mediaOf,
  phraseAt,
  SILENCE_BEFORE_MS,
  speak,
  startBaresip,
  stopBaresips,
} from "./support/spoken-calls.ts";
import { because, missingReason } from "./support/tools.ts";
import { type CapturedRtp, callPackets, ulawAudio, wireSide } from "./support/tshark.ts";

const CODECS: readonly CodecId[] = ["PCMU", "PCMA", "G722", "opus", "L16/16000", "L16/8000"];
const HOLD_MS = 1000;

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
      atBot: judge(harness, await heardAt(call, "bot"), "caller", codec),
      atCaller: judge(harness, await heardAt(call, "caller"), "bot", codec),
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
  afterAll(stopBaresips);

  describe("calling our bot, and called by our caller", () => {
    it.concurrent.each(CODECS)("%s carries a phrase each way at its level", async (codec) => {
      const user = `peer-${codec.replace("/", "-")}`;
      const baresip = await startBaresip(harness, { user, codec });

      const coming = callWith(harness, user);
      baresip.dial(bot.uri);
      const inbound = await coming;
      const first = await converse(harness, inbound, { baresip });
      const outbound = await caller.dial(baresip.uri, { media: { codecs: [codec] } });
      const second = await converse(harness, outbound, { baresip, index: 1 });
      await baresip.stop();

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
      const baresip = await startBaresip(harness, {
        user: `peer-${codec}-${ptimeMs}`,
        codec,
        ptimeMs,
      });
      const call = await caller.dial(baresip.uri, { media: { codecs: [codec], ptimeMs } });
      const heard = await converse(harness, call, { baresip });
      await baresip.stop();

      report(`${codec} in packets of ${ptimeMs} ms`, heard);
      for (const each of Object.values(heard)) expectHeard(each);
      expect(await mediaOf(call, "caller")).toMatchObject({ codec, ptimeMs });
      await expectWire(call, ptimeMs);
    });
  });

  it.concurrent("has no call where there is no codec in common, whoever calls", async () => {
    const media = { codecs: ["PCMU"] } as const;
    const answer = { kind: "answer", ringMs: 0 } as const;
    const narrow = await harness.addAgent({ party: "bot", user: "n", local: LOCAL, media, answer });
    const baresip = await startBaresip(harness, { user: "wideband", codec: "G722" });
    const coming = callWith(harness, "wideband");
    baresip.dial(narrow.uri);
    const closed = await baresip.waitForEvent("CALL_CLOSED", 5000);
    const inbound = await coming;
    const outbound = await caller.dial(baresip.uri, { media });
    for (const call of [inbound, outbound]) expect(await call.whenEnded(5000)).toBe(true);
    await baresip.stop();
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

  it.concurrent("keeps the audio over baresip's hold and resume", async () => {
    const voice = harness.voices.find("bot", BOT_PHRASE);
    const once = phraseAt(voice, 8000, SILENCE_BEFORE_MS);
    const pauseMs = 5000;
    const speech = new Int16Array([...once, ...phraseAt(voice, 8000, pauseMs)]);
    const baresip = await startBaresip(harness, { user: "holder", speech });
    const call = await caller.dial(baresip.uri, { media: { codecs: ["PCMU"] } });
    const { at } = await mediaOf(call, "caller");
    const say = (): Promise<void> =>
      speak(call, "caller", harness.voices.find("caller", CALLER_PHRASE));
    await say();
    await delay(SILENCE_BEFORE_MS);
    const held = await changeOf(call, () => baresip.command("hold"));
    await delay(HOLD_MS);
    const resumed = await changeOf(call, () => baresip.command("resume"));
    await say();
    const spokenMs = (speech.length * 1000) / 8000 + MARGIN_MS;
    await delay(Math.max(0, spokenMs - (harness.switchboard.clock.now() - at)));
    await endCall(call);

    expect(held).toMatchObject({ codec: "PCMU", direction: "recvonly" });
    expect(resumed).toMatchObject({ codec: "PCMU", direction: "sendrecv" });
    const byUs = await heardAt(call, "caller");
    // Its recording ends where it holds: what came after that is judged by what left.
    const byBaresip = await heardByBaresip(baresip);
    await baresip.stop();
    const cut = Math.round(((resumed.at - at) * byUs.sampleRateHz) / 1000);
    const parts = [byUs.samples.subarray(0, cut), byUs.samples.subarray(cut)];
    const figures = [
      ...parts.map((samples) => judge(harness, { ...byUs, samples }, "bot", "PCMU")),
      judge(harness, byBaresip, "caller", "PCMU"),
    ];
    const { sent, received } = await callPackets(call);
    const pauses = { sentMs: longestPauseMs(sent), receivedMs: longestPauseMs(received) };
    const resumption = sent.findIndex(
      (packet, index) => packet.at - (sent[index - 1]?.at ?? packet.at) > HOLD_MS / 2000,
    );
    const again = judge(harness, ulawAudio(sent.slice(resumption)), "caller", "PCMU");
    report("Held and resumed", { figures, again, pauses });
    for (const figure of [...figures, again]) expectHeard(figure);
    // Who is held sends nothing.
    expect(pauses.sentMs).toBeGreaterThan(HOLD_MS - 200);
    expect(pauses.sentMs).toBeLessThan(HOLD_MS + 500);
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
      const heard = judge(harness, { samples: part, sampleRateHz }, "bot", "PCMU");
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
const CHANGES_CODEC = sippScenario("changer", [
  { kind: "offer", payloadType: 0, encoding: "PCMU/8000" },
  { kind: "pause", ms: 2500 },
  { kind: "offer", payloadType: 9, encoding: "G722/8000" },
  { kind: "pause", ms: 2700 },
]);

function longestPauseMs(packets: readonly CapturedRtp[]): number {
  const pauses = packets.slice(1).map(({ at }, index) => at - (packets[index]?.at ?? at));
  return Math.max(...pauses) * 1000;
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

/** What the facts must say of a call with this codec. */
function agreed(codec: CodecId): object {
  const { clockRateHz, sampleRateHz } = codecOf(codec);
  return { codec, clockRateHz, sampleRateHz, ptimeMs: 20 };
}
