import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Harness, RemoteAgent, WatchedCall } from "../../src/index.ts";
import { createEnvironment } from "../../src/platform/index.ts";
import {
  generateKeys,
  parseCryptoAttribute,
  type SrtpKeys,
  SrtpSender,
  type SrtpSuite,
  writeCryptoAttribute,
} from "../../src/srtp/index.ts";
import { CALL_FILES, type FactOf } from "../../src/timeline/index.ts";
import { LOCAL, openTestHarness } from "../loopback/bench-bot.ts";
import { report } from "./support/report.ts";
import { ScriptedPeer } from "./support/scripted-peer.ts";
import {
  callWith,
  converse,
  endCall,
  endOf,
  expectHeard,
  faultsOf,
  judge,
  mediaOf,
  startBaresip,
  stopBaresips,
} from "./support/spoken-calls.ts";
import { because, missingReason } from "./support/tools.ts";
import { rtpPackets, ulawAudio } from "./support/tshark.ts";

const MISSING = missingReason(["baresip", "tshark"]);
/** All that baresip 1.0.0 knows; it offers the first only. */
const BARESIP_SUITES: readonly SrtpSuite[] = [
  "AES_CM_128_HMAC_SHA1_80",
  "AES_CM_128_HMAC_SHA1_32",
  "AEAD_AES_128_GCM",
  "AEAD_AES_256_GCM",
];
/** An RTCP APP packet, "PING", that baresip may send before it has its keys, in the clear. */
const PLAIN_PINGS = 1;
/** baresip sends its first RTCP report after 5 s. */
const RTCP_STAY_MS = 6500;

/** Masks are of asterisks, in captures of the base64 of zeros. */
const UNMASKED_KEY = /inline:(?![*]{38}|A{38})/u;

type Policy = "off" | "optional" | "required";

let test: Awaited<ReturnType<typeof openTestHarness>>;
let harness: Harness;
let caller: RemoteAgent;
const bots = new Map<Policy, RemoteAgent>();

beforeAll(async () => {
  test = await openTestHarness("srtp");
  harness = test.harness;
  caller = await harness.addAgent({
    party: "caller",
    user: "caller",
    local: LOCAL,
    media: { codecs: ["PCMU"], rtcpIntervalMs: 1000 },
    silentPeerLimitMs: 3000,
  });
  for (const srtp of ["off", "optional", "required"] as const) {
    const bot = await harness.addAgent({
      party: "bot",
      user: "bot",
      local: LOCAL,
      media: { codecs: ["PCMU"], srtp },
      answer: { kind: "answer", ringMs: 0 },
    });
    bots.set(srtp, bot);
    // A thread's first call is late, by what it has to compile.
    const call = await caller.dial(bot.uri, { media: { srtp } });
    await mediaOf(call, "bot");
    await endCall(call);
  }
});

afterAll(async () => {
  await stopBaresips();
  await test.close();
});

function botThat(srtp: Policy): RemoteAgent {
  const bot = bots.get(srtp);
  if (bot === undefined) throw new Error(`No bot with SRTP ${srtp}.`);
  return bot;
}

describe.skipIf(MISSING !== undefined)(`SRTP with baresip${because(MISSING)}`, () => {
  it.concurrent.each(BARESIP_SUITES)("%s carries audio and RTCP both ways", async (suite) => {
    const baresip = await startBaresip(harness, { user: suite, encryption: "srtp-mand" });
    const media = { srtp: "required", srtpSuites: [suite] } as const;
    const call = await caller.dial(baresip.uri, { media });
    const heard = await converse(harness, call, { baresip, staysMs: RTCP_STAY_MS });
    await baresip.stop();

    const statistics = statisticsOf(call);
    const { rtcpSent, rtcpReceived, roundTripMsMean, srtpRejected } = statistics;
    report(`${suite} with baresip`, {
      heard,
      rtcpSent,
      rtcpReceived,
      roundTripMsMean,
      srtpRejected,
    });
    for (const each of Object.values(heard)) expectHeard(each);
    expect(await mediaOf(call, "caller")).toMatchObject({ codec: "PCMU", srtpSuite: suite });
    expect(statistics.packetsReceived).toBeGreaterThan(RTCP_STAY_MS / 25);
    expect(rtcpSent).toBeGreaterThan(2);
    // With the short tag, baresip shortens that of SRTCP, too, which must have 80 bits
    // (RFC 4568 §6.2.2): its reports are refused.
    const isReadable = suite !== "AES_CM_128_HMAC_SHA1_32";
    expect(rtcpReceived > 0).toBe(isReadable);
    expect(call.timeline.of("rtcpReport").some((fact) => fact.report === "SR")).toBe(isReadable);
    expect(srtpRejected).toBeLessThanOrEqual(isReadable ? PLAIN_PINGS : PLAIN_PINGS + 2);
    await expectReadable(call);
  });

  it.concurrent("is taken up where both may, and left where one does not want it", async () => {
    const willing = await startBaresip(harness, { user: "willing", encryption: "srtp" });
    const encrypted = await caller.dial(willing.uri, { media: { srtp: "optional" } });
    const first = await converse(harness, encrypted, { baresip: willing });
    const plain = await caller.dial(willing.uri, { media: { srtp: "off" } });
    const second = await converse(harness, plain, { baresip: willing, index: 1 });
    await willing.stop();

    for (const each of [first, second].flatMap(Object.values)) expectHeard(each);
    expect((await mediaOf(encrypted, "caller")).srtpSuite).toBeDefined();
    expect((await mediaOf(plain, "caller")).srtpSuite).toBeUndefined();
  });

  it.concurrent.each([
    ["srtp", "optional"],
    ["srtp", "required"],
    ["srtp-mand", "optional"],
    ["srtp-mand", "required"],
  ] as const)("baresip with mediaenc=%s calls a bot where it is %s", async (encryption, policy) => {
    const user = `${encryption}-${policy}`;
    const baresip = await startBaresip(harness, { user, encryption });
    const coming = callWith(harness, user);
    baresip.dial(botThat(policy).uri);
    const call = await coming;
    const heard = await converse(harness, call, { baresip });
    await baresip.stop();

    for (const each of Object.values(heard)) expectHeard(each);
    const srtpSuite = "AES_CM_128_HMAC_SHA1_80";
    expect(await mediaOf(call, "bot")).toMatchObject({ srtpSuite });
    expect(statisticsOf(call).srtpRejected).toBeLessThanOrEqual(PLAIN_PINGS);
  });

  it.concurrent("names what kept a bot from answering baresip", async () => {
    const cases = [
      { user: "plain", encryption: undefined, policy: "required", code: "ERR_SRTP_REQUIRED" },
      { user: "secret", encryption: "srtp-mand", policy: "off", code: "ERR_SRTP_NOT_ALLOWED" },
    ] as const;
    await Promise.all(
      cases.map(async ({ user, encryption, policy, code }) => {
        const options = encryption === undefined ? {} : { encryption };
        const baresip = await startBaresip(harness, { user, ...options });
        const coming = callWith(harness, user);
        baresip.dial(botThat(policy).uri);
        const { param } = await baresip.waitForEvent("CALL_CLOSED", 5000);
        const call = await coming;
        expect(await call.whenEnded(5000)).toBe(true);
        await baresip.stop();
        expect(param).toContain("488");
        expect(faultsOf(call)).toEqual([code]);
        expect(endOf(call)).toMatchObject({ endedBy: "local", statusCode: 488 });
      }),
    );
  });

  it.concurrent("names a suite in baresip's answer that was not offered", async () => {
    const baresip = await startBaresip(harness, { user: "old", encryption: "srtp-mand" });
    const media = { srtp: "required", srtpSuites: ["AES_256_CM_HMAC_SHA1_80"] } as const;
    const call = await caller.dial(baresip.uri, { media });
    expect(await call.whenEnded(8000)).toBe(true);
    await baresip.stop();

    // It does not know AES-256 in counter mode, and answers the line with a suite of its own.
    expect(faultsOf(call)).toEqual(["ERR_SRTP_MALFORMED"]);
    expect(call.timeline.of("mediaStarted")).toEqual([]);
  });

  it.concurrent("is refused by a baresip that cannot, or must", async () => {
    const refusals = [
      { user: "unable", options: {}, media: { srtp: "required" } },
      { user: "strict", options: { encryption: "srtp-mand" }, media: { srtp: "off" } },
    ] as const;
    await Promise.all(
      refusals.map(async ({ user, options, media }) => {
        const baresip = await startBaresip(harness, { user, ...options });
        const call = await caller.dial(baresip.uri, { media });
        expect(await call.whenEnded(8000)).toBe(true);
        await baresip.stop();
        report(`${user} refuses`, {
          e: endOf(call) as object,
          f: call.timeline.of("fault"),
          m: call.timeline
            .of("sipMessage")
            .map((m) => (m.text.includes("m=audio") ? m.text : m.startLine)),
        });
        expect(call.timeline.of("mediaStarted")).toEqual([]);
        expect(endOf(call)).toMatchObject({
          endedBy: "remote",
          reason: "rejected",
          statusCode: 488,
        });
      }),
    );
  });
});

describe("SRTP with a peer that does it wrong", () => {
  it.concurrent("names keys that are not those of the SDP", async () => {
    const peer = await ScriptedPeer.start((offer, port) => answerSecurely(offer, port).text);
    const wrong = senderWith(generateKeys("AES_CM_128_HMAC_SHA1_80", cryptography()));
    const call = await caller.dial(peer.uri, { media: { srtp: "required" } });
    await mediaOf(call, "caller");
    const sending = peer.sendSilence(100, (packet) => [wrong(packet)]);
    expect(await call.whenEnded(15_000)).toBe(true);
    await sending;
    await peer.close();

    expect(faultsOf(call)).toEqual(["ERR_SRTP_UNREADABLE"]);
    expect(endOf(call)).toMatchObject({ endedBy: "network", reason: "rtpTimeout" });
    expect(statisticsOf(call)).toMatchObject({ srtpRejected: 100, packetsReceived: 0, played: 0 });
  });

  it.concurrent("counts every packet that was changed or sent again on its way", async () => {
    let right: ((packet: Uint8Array) => Uint8Array) | undefined;
    const peer = await ScriptedPeer.start((offer, port) => {
      const { text, keys } = answerSecurely(offer, port);
      right = senderWith(keys);
      return text;
    });
    const call = await caller.dial(peer.uri, { media: { srtp: "required" } });
    await mediaOf(call, "caller");
    await peer.sendSilence(100, (packet, index) => {
      const sealed = right?.(packet) ?? packet;
      if (index % 10 === 3) sealed[20] = (sealed[20] ?? 0) ^ 1;
      return index % 10 === 7 ? [sealed, sealed] : [sealed];
    });
    await endCall(call);
    await peer.close();

    const { played, late, discarded, ...rest } = statisticsOf(call);
    const { srtpRejected, lost, duplicate, packetsReceived } = rest;
    const heard = { played, late, discarded };
    report("Tampered with", { srtpRejected, lost, duplicate, packetsReceived, ...heard });
    // Those that were sent again are the network's duplicates.
    expect({ srtpRejected, lost, duplicate, packetsReceived }).toEqual({
      srtpRejected: 10,
      lost: 10,
      duplicate: 10,
      packetsReceived: 100,
    });
    // How much of it came in time is up to a timer of this process.
    expect(played + late + discarded).toBe(90);
    expect(faultsOf(call)).toEqual([]);
  });

  it.concurrent("names an answer that takes the encryption away", async () => {
    const peer = await ScriptedPeer.start((_, port) => description(port, "RTP/AVP", []));
    const call = await caller.dial(peer.uri, { media: { srtp: "required" } });
    expect(await call.whenEnded(10_000)).toBe(true);
    await peer.close();

    expect(faultsOf(call)).toEqual(["ERR_SRTP_DOWNGRADED"]);
    expect(call.timeline.of("mediaStarted")).toEqual([]);
    expect(endOf(call)).toMatchObject({ endedBy: "local" });
  });

  it.concurrent("names an answer with a key that fits no offer", async () => {
    const keys = generateKeys("AES_CM_128_HMAC_SHA1_80", cryptography());
    const crypto = `a=crypto:${writeCryptoAttribute(77, keys)}`;
    const peer = await ScriptedPeer.start((_, port) => description(port, "RTP/SAVP", [crypto]));
    const call = await caller.dial(peer.uri, { media: { srtp: "required" } });
    expect(await call.whenEnded(10_000)).toBe(true);
    await peer.close();

    expect(faultsOf(call)).toEqual(["ERR_SRTP_MALFORMED"]);
  });
});

/** The decrypted capture holds the phrase in clear, and no file holds a key. */
async function expectReadable(call: WatchedCall): Promise<void> {
  await harness.leave(call);
  const folder = join(test.folder, "calls", call.id);
  const { remote } = await mediaOf(call, "caller");
  const port = Number(/:(\d+)$/u.exec(remote)?.[1]);
  const [decrypted, encrypted] = await Promise.all(
    [CALL_FILES.plainPcap, CALL_FILES.pcap].map(async (name) => {
      const packets = await rtpPackets(join(folder, name));
      return packets.filter(({ sourcePort }) => sourcePort === port);
    }),
  );
  const inClear = decrypted ?? [];
  expect(inClear.length).toBeGreaterThan(100);
  expect(inClear).toHaveLength(encrypted?.length ?? 0);
  expect(new Set(inClear.map(({ payloadType }) => payloadType))).toEqual(new Set([0]));
  expect(new Set(inClear.map(({ payload }) => payload.length))).toEqual(new Set([160]));
  expectHeard(judge(harness, ulawAudio(inClear), "bot", "PCMU"));

  const files = await readdir(folder);
  expect(files).toContain(CALL_FILES.plainPcap);
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), "latin1")));
  const withKeys = files.filter((_, index) => UNMASKED_KEY.test(texts[index] ?? ""));
  expect(withKeys).toEqual([]);
  // They are there, masked: the above looks at the right thing.
  expect(await readFile(join(folder, CALL_FILES.pcap), "latin1")).toMatch(/inline:A{38}/u);
  expect(await readFile(join(folder, CALL_FILES.timeline), "utf8")).toMatch(/inline:\*{38}/u);
}

function statisticsOf(call: WatchedCall): FactOf<"mediaStatistics"> {
  const [statistics] = call.timeline.of("mediaStatistics");
  if (statistics === undefined) throw new Error("The call had no media.");
  return statistics;
}

function cryptography(): ReturnType<typeof createEnvironment>["cryptography"] {
  return createEnvironment({ seed: "keys" }).cryptography;
}

/** Takes the first suite of an offer up, with keys of its own. */
function answerSecurely(
  offer: string,
  port: number,
): { readonly text: string; readonly keys: SrtpKeys } {
  const crypto = parseCryptoAttribute(/^a=crypto:(.*)\r$/mu.exec(offer)?.[1] ?? "");
  if (crypto.kind !== "supported") throw new Error(crypto.reason);
  const keys = generateKeys(crypto.keys.suite, cryptography());
  const line = `a=crypto:${writeCryptoAttribute(crypto.tag, keys)}`;
  return { text: description(port, "RTP/SAVP", [line]), keys };
}

function description(port: number, protocol: string, attributes: readonly string[]): string {
  const lines = [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "c=IN IP4 127.0.0.1",
    "t=0 0",
    `m=audio ${port} ${protocol} 0`,
    ...attributes,
  ];
  return lines.map((line) => `${line}\r\n`).join("");
}

/** Encrypts packet after packet. */
function senderWith(keys: SrtpKeys): (packet: Uint8Array) => Uint8Array {
  const sender = new SrtpSender(keys, cryptography());
  return (packet) => {
    const output = new Uint8Array(packet.length + SrtpSender.overheadBytes);
    return output.slice(0, sender.protectRtp(packet, output));
  };
}
