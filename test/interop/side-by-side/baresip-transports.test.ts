import { readFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Harness, RemoteAgent, SipSettings, WatchedCall } from "../../../src/index.ts";
import { LOCAL, openTestHarness } from "../../loopback/bench-bot.ts";
import { Baresip } from "../support/baresip.ts";
import { findPhrase } from "../support/known-speech.ts";
import {
  ADDRESS,
  BOT_PHRASE,
  baresipPorts,
  callWith,
  phraseAt,
  SILENCE_BEFORE_MS,
} from "../support/spoken-calls.ts";
import { because, missingReason } from "../support/tools.ts";
import { sipFrames } from "../support/tshark.ts";

const MISSING = missingReason(["baresip", "tshark"]);
const TIMEOUT_MS = 60_000;
/** Longer than what baresip says, which our bot does not wait for. */
const SPEECH_MS = 4000;
const TLS_FOLDER = new URL("../../../fixtures/tls/", import.meta.url);

function pem(name: string): string {
  return readFileSync(new URL(name, TLS_FOLDER), "utf8");
}

const IDENTITY = { ca: pem("ca.pem"), certificate: pem("bot.pem"), key: pem("bot.key") };

const TRANSPORTS: readonly (readonly [name: "TCP" | "TLS", sip: SipSettings])[] = [
  ["TCP", { transport: "tcp" }],
  ["TLS", { transport: "tls", tls: IDENTITY }],
];

describe.skipIf(MISSING !== undefined)(`SIP with baresip${because(MISSING)}`, () => {
  let test: Awaited<ReturnType<typeof openTestHarness>>;
  let harness: Harness;
  let baresip: Baresip | undefined;
  let agent: RemoteAgent | undefined;

  beforeAll(async () => {
    test = await openTestHarness("baresip-transports");
    harness = test.harness;
  });

  afterEach(async () => {
    await agent?.close();
    await baresip?.stop();
    baresip = undefined;
  });

  afterAll(() => test.close());

  async function startBaresip(
    user: string,
  ): Promise<{ peer: Baresip; tlsPort: number; port: number }> {
    const ports = await baresipPorts();
    const speech = phraseAt(harness.voices.find("bot", BOT_PHRASE), 8000, SILENCE_BEFORE_MS);
    baresip = await Baresip.start({
      user,
      address: ADDRESS,
      ...ports,
      speech,
      answers: true,
      tls: { certificate: pem("bot.pem") + pem("bot.key"), ca: pem("ca.pem") },
    });
    return { peer: baresip, tlsPort: ports.sipPort + 1, port: ports.sipPort };
  }

  /** All its SIP went by this transport, baresip's speech was heard, and tshark reads the capture. */
  async function expectCarried(call: WatchedCall, name: "TCP" | "TLS"): Promise<void> {
    const messages = call.timeline.of("sipMessage");
    expect(new Set(messages.map(({ transport }) => transport))).toEqual(new Set([name]));
    const record = await call.record();
    const audio = record.audio ?? record.botAudio;
    // Left is what the caller sent, right what it heard: baresip is on either side.
    const heard = [audio?.left, audio?.right].map((samples = new Int16Array()) =>
      findPhrase(harness.voices.all("bot"), BOT_PHRASE, { sampleRateHz: 8000, samples }),
    );
    expect(heard.some(({ found }) => found)).toBe(true);
    await harness.leave(call);
    const folders = await readdir(join(test.folder, "calls"));
    const captures = folders.map((folder) => join(test.folder, "calls", folder, "call.pcap"));
    const counts = await Promise.all(captures.map(async (file) => (await sipFrames(file)).length));
    expect(counts.at(-1)).toBe(messages.length);
    await rm(join(test.folder, "calls"), { recursive: true });
  }

  it.each(TRANSPORTS)(
    "our caller talks with it over %s",
    async (name, sip) => {
      const { tlsPort, port, peer } = await startBaresip("bot");
      agent = await harness.addAgent({ party: "caller", user: "caller", local: LOCAL, sip });
      const target =
        name === "TLS"
          ? `sip:bot@${ADDRESS}:${tlsPort};transport=tls`
          : `sip:bot@${ADDRESS}:${port};transport=tcp`;

      const call = await agent.dial(target);
      await call.waitFor((fact) => fact.kind === "heardSpeech" && fact.event === "stopped", 20_000);
      await call.hangUp();
      await peer.waitForEvent("CALL_CLOSED", 10_000);
      await call.whenEnded(10_000);

      await expectCarried(call, name);
    },
    TIMEOUT_MS,
  );

  it.each(TRANSPORTS)(
    "baresip calls our bot over %s, which hangs up",
    async (name, sip) => {
      agent = await harness.addAgent({
        party: "bot",
        user: "bot",
        local: LOCAL,
        answer: { kind: "answer", ringMs: 0 },
        sip,
      });
      const { peer } = await startBaresip("guest");
      const ours = callWith(harness, "guest");
      peer.dial(agent.uri);
      const call = await ours;
      await peer.waitForEvent("CALL_ESTABLISHED", 10_000);
      await delay(SPEECH_MS);
      await call.hangUp("bot");
      await peer.waitForEvent("CALL_CLOSED", 10_000);
      await call.whenEnded(10_000);

      await expectCarried(call, name);
    },
    TIMEOUT_MS,
  );
});
