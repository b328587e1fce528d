import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Instant } from "../../../src/environment/index.ts";
import type { EmbeddedAi, Harness, WatchedCall } from "../../../src/index.ts";
import { scriptPath } from "../../../src/index.ts";

import { LOCAL, openTestHarness } from "../../loopback/bench-bot.ts";
import { findPhrase, type TelephoneAudio } from "../support/known-speech.ts";
import { report } from "../support/report.ts";
import {
  BOT_PHRASE,
  callWith,
  endCall,
  endOf,
  faultsOf,
  heardAt,
  heardByBaresip,
  startBaresip,
  stopBaresips,
} from "../support/spoken-calls.ts";
import { because, missingReason } from "../support/tools.ts";

const MISSING = missingReason(["baresip"]);
const TIMEOUT_MS = 60_000;
/** Longer than the bot's greeting, so that all of it is early. */
const RINGS_MS = 6000;
/** The ringing tone comes at once, and again every 5 s (ITU-T E.180). */
const RINGBACK_HZ = 425;
const RINGBACK_MS = 1000;

describe.skipIf(MISSING !== undefined)(`Early media with baresip${because(MISSING)}`, () => {
  let test: Awaited<ReturnType<typeof openTestHarness>>;
  let harness: Harness;
  let ai: EmbeddedAi;

  beforeAll(async () => {
    test = await openTestHarness("early media with baresip");
    harness = test.harness;
    ai = await harness.startEmbeddedAi({ scriptPath: scriptPath("reception") });
  });

  afterEach(() => stopBaresips());
  afterAll(() => test.close());

  /** A baresip that listens to our bot ring, is answered, and hangs up at once. */
  async function callBot(earlyMedia: "ringback" | "greeting"): Promise<{
    readonly call: WatchedCall;
    readonly heard: TelephoneAudio;
    readonly events: readonly string[];
  }> {
    const bot = await harness.addAgent({
      party: "bot",
      user: "bot",
      local: LOCAL,
      answer: { kind: "answer", ringMs: RINGS_MS, earlyMedia },
      ai: {
        provider: "openai",
        url: ai.url,
        apiKey: ai.apiKey,
        model: "gpt-realtime",
        turnDetection: { type: "semantic_vad" },
        greets: false,
      },
    });
    // Silent: whoever speaks interrupts a greeting.
    const speech = new Int16Array();
    const guest = await startBaresip(harness, { user: "guest", answers: false, speech });
    const calls = callWith(harness, "guest");
    guest.dial(bot.uri);
    await guest.waitForEvent("CALL_PROGRESS", 5000);
    const events = guest.events.map(({ type }) => type);
    await guest.waitForEvent("CALL_ESTABLISHED", RINGS_MS + 5000);
    guest.hangUp();
    const call = await calls;
    await call.whenEnded(10_000);
    const heard = await heardByBaresip(guest);
    await bot.close();
    return { call, heard, events };
  }

  it(
    "lets baresip hear the ringing tone that our bot sends before it answers",
    async () => {
      const { call, heard, events } = await callBot("ringback");

      const early = mediaBefore(call, "sent");
      const toneMs = toneMsIn(heard);
      report("baresip hears our ringing tone", { ...early, toneMs });
      expect(events).not.toContain("CALL_ESTABLISHED");
      expect(responsesOf(call)).toEqual(["180", "183", "200"]);
      // Nothing but silence is sent once the call is answered, so all of it came before the 200.
      expect(early.leadMs).toBeGreaterThan(RINGS_MS - 1000);
      expect(toneMs).toBeGreaterThan(1.7 * RINGBACK_MS);
      expect(toneMs).toBeLessThan(2.2 * RINGBACK_MS);
      expect(endOf(call)).toMatchObject({ endedBy: "remote", reason: "bye" });
    },
    TIMEOUT_MS,
  );

  it(
    "lets baresip hear the whole greeting of our bot before it answers",
    async () => {
      const { call, heard } = await callBot("greeting");

      const early = mediaBefore(call, "sent");
      const greeting = findPhrase(harness.voices.all("bot"), "greeting", heard);
      const endsAtMs = (greeting.endSample * 1000) / heard.sampleRateHz;
      report("baresip hears our greeting early", { ...early, greeting, endsAtMs });
      expect(responsesOf(call)).toEqual(["180", "183", "200"]);
      expect(greeting.found).toBe(true);
      // baresip records from its first packet on, which it got `leadMs` before the 200.
      expect(endsAtMs).toBeLessThan(early.leadMs);
    },
    TIMEOUT_MS,
  );

  it(
    "sends media to a baresip that answers early, and hears it from its answer on",
    async () => {
      const caller = await harness.addAgent({ party: "caller", user: "caller", local: LOCAL });
      const answerer = await startBaresip(harness, { user: "early", answers: "early" });

      const call = await caller.dial(answerer.uri);
      await answerer.process.waitForOutput(/incoming rtp for 'audio' established/u, 5000);
      const phase = call.timeline.of("callPhase").at(-1)?.phase;
      answerer.command("accept");
      await answerer.waitForEvent("CALL_ESTABLISHED", 5000);
      await call.waitFor((fact) => fact.kind === "heardSpeech" && fact.event === "stopped", 10_000);
      await endCall(call);

      const early = mediaBefore(call, "sent");
      // baresip 1.0.0 takes up an offer's media only when it answers: early, it listens and is silent.
      const late = mediaBefore(call, "received");
      const heard = await heardAt(call, "caller");
      const spoken = findPhrase(harness.voices.all("bot"), BOT_PHRASE, heard);
      report("baresip answers early", { ...early, answerLeadMs: late.leadMs, spoken });
      expect(phase).toBe("earlyMedia");
      expect(responsesOf(call)).toEqual(["180", "183", "200"]);
      expect(early.leadMs).toBeGreaterThan(0);
      expect(spoken.found).toBe(true);
      expect(endOf(call)).toMatchObject({ endedBy: "local", reason: "bye" });
      expect(faultsOf(call)).toEqual([]);
      await caller.close();
    },
    TIMEOUT_MS,
  );
});

/** The first packet in a direction, and how long before the 200 that was. */
function mediaBefore(
  call: WatchedCall,
  direction: "sent" | "received",
): { readonly leadMs: number } {
  const first = call.timeline
    .of("rtpFlow")
    .find((fact) => fact.direction === direction && fact.event === "first");
  return { leadMs: Math.round(answeredAt(call) - (first?.at ?? Number.NaN)) };
}

function answeredAt(call: WatchedCall): Instant {
  const fact = call.timeline.of("callPhase").find(({ phase }) => phase === "answered");
  if (fact === undefined) throw new Error("The call was not answered.");
  return fact.at;
}

/** The statuses of the responses to INVITE at our end, without 100 and repetitions. */
function responsesOf(call: WatchedCall): string[] {
  return call.timeline
    .of("sipMessage")
    .filter(({ method, statusCode = 0, retransmission }) => {
      return method === "INVITE" && statusCode > 100 && retransmission !== true;
    })
    .map(({ statusCode }) => String(statusCode));
}

/** For how long the ringing tone sounds: each 20 ms whose energy is mostly at its frequency. */
function toneMsIn({ samples, sampleRateHz }: TelephoneAudio): number {
  const block = sampleRateHz / 50;
  const step = (2 * Math.PI * RINGBACK_HZ) / sampleRateHz;
  let count = 0;
  for (let begin = 0; begin + block <= samples.length; begin += block) {
    let [cosine, sine, energy] = [0, 0, 0];
    for (let index = 0; index < block; index += 1) {
      const sample = samples[begin + index] ?? 0;
      cosine += sample * Math.cos(step * index);
      sine += sample * Math.sin(step * index);
      energy += sample * sample;
    }
    const isLoud = energy / block > 100 ** 2;
    if (isLoud && (cosine ** 2 + sine ** 2) * 2 > 0.8 * energy * block) count += 1;
  }
  return count * 20;
}
