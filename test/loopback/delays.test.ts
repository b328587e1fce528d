import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type CallMetrics,
  expectAnswered,
  type Harness,
  type MediaSettings,
  measureCall,
  openHarness,
  type RemoteAgent,
  scriptPath,
} from "../../src/index.ts";

const BUFFER_MS = 60;
const PTIME_MS = 20;
const ECHO = { delayMs: 40, levelDb: -20 } as const;
/** What the network adds to packets to the bot in the second call. */
const NETWORK_MS = 80;
/** What a quiet host may be late by, twice; a busy one says itself by how much more. */
const HOST_MS = 25;

const MEDIA: MediaSettings = {
  ptimeMs: PTIME_MS,
  jitterBuffer: { kind: "fixed", delayMs: BUFFER_MS },
};

describe("delays of a call on real sockets", () => {
  let folder: string;
  let harness: Harness;
  let bot: RemoteAgent;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sidetone-delays-"));
    harness = await openHarness({ seed: "delays", reportFolder: folder });
    const { url, apiKey } = await harness.startEmbeddedAi({ scriptPath: scriptPath("reception") });
    bot = await harness.addAgent({
      party: "bot",
      user: "bot",
      local: { address: "127.0.0.1", port: 0 },
      media: MEDIA,
      answer: { kind: "answer", ringMs: 0 },
      ai: { provider: "openai", url, apiKey, model: "gpt-realtime", greets: true },
    });
  });

  afterAll(async () => {
    await harness.close();
    await rm(folder, { recursive: true });
  });

  async function metricsOf(user: string, media: MediaSettings): Promise<CallMetrics> {
    const caller = await harness.addAgent({
      party: "caller",
      user,
      local: { address: "127.0.0.1", port: 0 },
      media: { ...MEDIA, ...media },
    });
    const call = await caller.dial(bot.uri);
    await expectAnswered(call, 5000);
    // The greeting, a question, and most of the answer.
    await call.waitFor(() => false, 4500);
    await harness.say(call, { phrase: "Tell me about the hotel." });
    await call.waitFor(() => false, 7000);
    await call.hangUp();
    await call.whenEnded(5000);
    const metrics = measureCall(await call.record());
    await call.release();
    return metrics;
  }

  it("add up with the echo of the caller's line, and tell a slow network", async () => {
    const near = await metricsOf("near", { echo: ECHO });
    const far = await metricsOf("far", {
      network: { sent: { delay: { delayMs: NETWORK_MS } } },
    });
    const toCallerMs = medianMs(near, "caller");
    const toBotMs = medianMs(near, "bot");
    const lateMs = HOST_MS + Math.max(unsteadyMs(near), unsteadyMs(far));

    // A frame waits for the buffer, and for the hearer's next deadline.
    expect(toCallerMs).toBeGreaterThanOrEqual(BUFFER_MS - 5);
    expect(toCallerMs).toBeLessThanOrEqual(BUFFER_MS + PTIME_MS + lateMs);
    // A packet leaves when its last sample was spoken.
    expect(toBotMs).toBeGreaterThanOrEqual(PTIME_MS);
    expect(toBotMs).toBeLessThanOrEqual(PTIME_MS + lateMs);
    // The bot's words to the caller, 40 ms in the caller's line, and back: exact, on any host.
    const echo = near.echoes.find(({ party }) => party === "bot") ?? NO_ECHO;
    expect(Math.abs(echo.delayMs - toCallerMs - ECHO.delayMs - toBotMs)).toBeLessThan(1);
    expect(Math.abs(echo.lossDb + ECHO.levelDb)).toBeLessThan(1.5);
    expect(far.echoes).toEqual([]);
    const addedMs = medianMs(far, "bot") - toBotMs;
    expect(addedMs).toBeGreaterThanOrEqual(NETWORK_MS - lateMs);
    // A delayed packet passes on when the host gets to it.
    expect(addedMs).toBeLessThanOrEqual(NETWORK_MS + 2 * lateMs);
  }, 90_000);
});

const NO_ECHO = { delayMs: Number.NaN, lossDb: Number.NaN };

function medianMs({ delays }: CallMetrics, by: "caller" | "bot"): number {
  return delays.find(({ heardBy }) => heardBy === by)?.medianMs ?? Number.NaN;
}

/** The longest for which the host stood still, at either end. */
function unsteadyMs({ instrument }: CallMetrics): number {
  return Math.max(
    ...instrument.map((own) => Math.max(own.departureJitterMsMax, own.eventLoopLagMsMax)),
  );
}
