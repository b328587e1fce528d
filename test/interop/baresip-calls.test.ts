import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { elapsedMs } from "../../src/environment/index.ts";
import type { EmbeddedAi, Harness, WatchedCall } from "../../src/index.ts";
import { scriptPath } from "../../src/index.ts";
import { addBot, LOCAL, openTestHarness } from "../loopback/bench-bot.ts";
import { Baresip, type BaresipOptions } from "./support/baresip.ts";
import { findPhrase, onTelephone } from "./support/known-speech.ts";
import { report } from "./support/report.ts";
import { heardByBaresip } from "./support/spoken-calls.ts";
import { because, missingReason } from "./support/tools.ts";

const MISSING = missingReason(["baresip"]);
const ADDRESS = "127.0.0.1";
const TIMEOUT_MS = 60_000;
/** Longer than the bot's greeting, so that the caller does not interrupt it. */
const LISTENS_FIRST_MS = 5000;
/** The fixtures have -20 dBov; the phrase's pauses count here, and G.711 and timing cost little. */
const LEVEL_DBOV = { least: -26, most: -17 };

describe.skipIf(MISSING !== undefined)(`A call with baresip${because(MISSING)}`, () => {
  let test: Awaited<ReturnType<typeof openTestHarness>>;
  let harness: Harness;
  let ai: EmbeddedAi;
  let baresip: Baresip | undefined;

  beforeAll(async () => {
    test = await openTestHarness("baresip");
    harness = test.harness;
    ai = await harness.startEmbeddedAi({ scriptPath: scriptPath("reception") });
  });

  afterEach(async () => {
    await baresip?.stop();
    baresip = undefined;
  });

  afterAll(() => test.close());

  async function startBaresip(
    options: Pick<BaresipOptions, "user" | "speech" | "answers">,
  ): Promise<Baresip> {
    baresip = await Baresip.start({
      ...options,
      address: ADDRESS,
      sipPort: 25_090,
      controlPort: 25_063,
    });
    return baresip;
  }

  it(
    "lets baresip hear the bot, and hangs up on it when asked to",
    async () => {
      const bot = await addBot(harness, ai, { greets: true });
      const ours = nextCall(harness);
      const caller = await startBaresip({
        user: "guest",
        speech: onTelephone(harness.voices.find("caller", "please-hang-up"), LISTENS_FIRST_MS),
        answers: false,
      });

      caller.dial(bot.uri);
      await caller.waitForEvent("CALL_ESTABLISHED", 10_000);
      await caller.waitForEvent("CALL_CLOSED", 30_000);
      const call = await ours;
      await call.whenEnded(10_000);

      const heard = await heardByBaresip(caller);
      const greeting = findPhrase(harness.voices.all("bot"), "greeting", heard);
      const goodbye = findPhrase(harness.voices.all("bot"), "goodbye", heard);
      report("baresip calls the bot", { greeting, goodbye });
      for (const phrase of [greeting, goodbye]) expectSpoken(phrase);
      expect(goodbye.startSample).toBeGreaterThan(greeting.endSample);
      const tools = call.timeline.of("toolCall").map(({ name, event }) => `${name} ${event}`);
      expect(tools).toContain("hangup_call finished");
      expect(endOf(call)).toMatchObject({ party: "bot", endedBy: "local", reason: "bye" });
      const byes = call.timeline
        .of("sipMessage")
        .filter(({ startLine }) => startLine.startsWith("BYE "));
      expect(new Set(byes.map(({ direction }) => direction))).toEqual(new Set(["sent"]));
      await bot.close();
    },
    TIMEOUT_MS,
  );

  it(
    "lets our caller talk with baresip, and carries digits both ways",
    async () => {
      const phrase = "breakfast";
      const utterance = "tell-me-about-the-hotel";
      const answerer = await startBaresip({
        user: "bot",
        speech: onTelephone(harness.voices.find("bot", phrase), 500),
        answers: true,
      });
      const caller = await harness.addAgent({ party: "caller", user: "caller", local: LOCAL });

      const call = await caller.dial(answerer.uri);
      await call.waitFor(({ kind }) => kind === "mediaStarted", 10_000);
      const utteranceId = await harness.say(call, {
        phrase: utterance,
        start: { kind: "afterHeardSpeech", delayMs: 300 },
      });
      expect(await harness.spoken(call, utteranceId, 30_000)).toBe(true);
      await call.press("42#");
      const keys = [];
      for (let count = 0; count < 3; count += 1) {
        keys.push((await answerer.waitForEvent("CALL_DTMF_START", 5000)).param);
      }
      for (const key of ["7", "*"]) {
        answerer.press(key);
        await call.waitFor((fact) => fact.kind === "digit" && fact.digit === key, 5000);
      }
      await call.hangUp();
      await answerer.waitForEvent("CALL_CLOSED", 10_000);
      await call.whenEnded(10_000);

      const { audio } = await call.record();
      const right = { sampleRateHz: 8000, samples: audio?.right ?? new Int16Array() };
      const heardByUs = findPhrase(harness.voices.all("bot"), phrase, right);
      const heardByPeer = findPhrase(
        harness.voices.all("caller"),
        utterance,
        await heardByBaresip(answerer),
      );
      const digits = call.timeline.of("digit");
      report("our caller calls baresip", {
        heardByUs,
        heardByPeer,
        digits: digits.map(({ direction, digit, at, endedAt, durationMs }) => ({
          direction,
          digit,
          durationMs,
          spanMs: Math.round(elapsedMs(at, endedAt)),
        })),
      });
      expectSpoken(heardByUs);
      expectSpoken(heardByPeer);
      expect(keys).toEqual(["4", "2", "#"]);
      const received = digits.filter(({ direction }) => direction === "received");
      expect(received.map(({ digit }) => digit)).toEqual(["7", "*"]);
      expect(endOf(call)).toMatchObject({ party: "caller", endedBy: "local", reason: "bye" });
      await caller.close();
    },
    TIMEOUT_MS,
  );
});

/** The next call that becomes known. */
function nextCall(harness: Harness): Promise<WatchedCall> {
  return new Promise((resolve) => {
    const unsubscribe = harness.switchboard.subscribe((call) => {
      unsubscribe();
      resolve(call);
    });
  });
}

function expectSpoken(heard: { readonly found: boolean; readonly levelDbov: number }): void {
  expect(heard.found).toBe(true);
  expect(heard.levelDbov).toBeGreaterThan(LEVEL_DBOV.least);
  expect(heard.levelDbov).toBeLessThan(LEVEL_DBOV.most);
}

function endOf(call: WatchedCall): unknown {
  return call.timeline.of("callPhase").find(({ phase }) => phase === "ended");
}
