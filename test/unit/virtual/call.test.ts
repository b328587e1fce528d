import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, openHarness, scriptPath } from "../../../src/index.ts";

const LOOPBACK = "127.0.0.1";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sidetone-virtual-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** What lies between bot and AI, one way. */
const AI_LINK = {
  delay: { kind: "constant", delayMs: 20 },
  loss: { kind: "bernoulli", lossRatio: 0.02 },
} as const;

/**
 * One call of a guest who asks for breakfast, with losses between caller and bot and between bot and
 * AI; what it left, as hashes.
 */
async function callOnce(seed: string, name: string): Promise<Readonly<Record<string, string>>> {
  const reportFolder = join(folder, name);
  const harness = await openHarness({ seed, reportFolder, virtual: true });
  try {
    await converse(harness);
  } finally {
    await harness.close();
  }
  const path = join(reportFolder, "calls/001");
  const files = await readdir(path);
  const hashes = files.map(async (file): Promise<readonly [string, string]> => {
    const content = await readFile(join(path, file));
    return [file, createHash("sha256").update(content).digest("hex")];
  });
  return Object.fromEntries(await Promise.all(hashes));
}

async function converse(harness: Harness): Promise<void> {
  const ai = await harness.startEmbeddedAi({ scriptPath: scriptPath("reception") });
  const bot = await harness.addAgent({
    party: "bot",
    user: "bot",
    local: { address: LOOPBACK, port: 0 },
    answer: { kind: "answer", ringMs: 200 },
    ai: {
      provider: "openai",
      url: ai.url,
      apiKey: ai.apiKey,
      model: "gpt-realtime",
      greets: true,
      network: { sent: AI_LINK, received: AI_LINK },
      turnDetection: { type: "server_vad" },
    },
  });
  const caller = await harness.addAgent({
    party: "caller",
    user: "caller",
    local: { address: LOOPBACK, port: 0 },
  });
  const loss = { loss: { kind: "bernoulli", lossRatio: 0.02 } } as const;
  const call = await caller.dial(bot.uri, { media: { network: { sent: loss, received: loss } } });
  expect(await harness.heardToEnd(call, 20_000)).toBe(true);
  const said = await harness.say(call, { phrase: "what-time-is-breakfast" });
  expect(await harness.spoken(call, said, 10_000)).toBe(true);
  const spokenAt = call.clock.now();
  const answer = await call.waitFor(
    (fact) => fact.kind === "heardSpeech" && fact.event === "started" && fact.at >= spokenAt,
    5000,
  );
  expect(answer).toBeDefined();
  await call.press("42");
  await call.hangUp();
  expect(call.timeline.of("aiStall").length).toBeGreaterThan(0);
  expect(await call.whenEnded(5000)).toBe(true);
  const { metrics } = await harness.leave(call);
  expect(metrics.turns.some(({ responseLatencyMs }) => (responseLatencyMs ?? 0) > 0)).toBe(true);
  await call.release();
}

async function codeOf(refused: Promise<unknown>): Promise<unknown> {
  try {
    return await refused;
  } catch (error) {
    return (error as { readonly code?: unknown }).code ?? error;
  }
}

describe("a call in virtual time", () => {
  it("leaves the same bits for the same seed, and others for another", async () => {
    const first = await callOnce("7", "first");
    const again = await callOnce("7", "again");
    const other = await callOnce("8", "other");

    expect(Object.keys(first)).toEqual(
      expect.arrayContaining(["timeline.jsonl", "audio.wav", "call.json", "call.pcap"]),
    );
    expect(again).toEqual(first);
    expect(other["audio.wav"]).not.toBe(first["audio.wav"]);
  });

  it("refuses what it cannot carry", async () => {
    const reportFolder = join(folder, "refused");
    const harness = await openHarness({ seed: "1", reportFolder, virtual: true });
    const local = { address: LOOPBACK, port: 0 };
    const caller = { party: "caller", user: "caller", local } as const;
    const provider = { provider: "openai", apiKey: "k", model: "m", greets: true } as const;
    const foreign = { ...provider, url: "wss://api.openai.com/v1/realtime" };
    const kernel = {
      ...provider,
      url: "ws://127.0.0.1:1/",
      network: { transport: "tcp-kernel" },
    } as const;
    const refusals = [
      [harness.addAgent({ ...caller, threads: 2 }), "ERR_VIRTUAL_THREADS"],
      [
        harness.addAgent({ ...caller, local: { address: "192.0.2.1", port: 0 } }),
        "ERR_VIRTUAL_ADDRESS",
      ],
      [harness.addAgent({ ...caller, sip: { transport: "tls" } }), "ERR_VIRTUAL_TLS"],
      [harness.addAgent({ ...caller, party: "bot", ai: foreign }), "ERR_VIRTUAL_ADDRESS"],
      [harness.addAgent({ ...caller, party: "bot", ai: kernel }), "ERR_VIRTUAL_KERNEL"],
      [openHarness({ reportFolder, virtual: true }), "ERR_VIRTUAL_BUSY"],
      [openHarness({ reportFolder, virtual: true, allow: ["192.0.2.1"] }), "ERR_VIRTUAL_ADDRESS"],
    ] as const;
    const agent = await harness.addAgent(caller);
    const dialled = ["sip:bot@bot.example", "sip:192.0.2.1", "sips:bot@127.0.0.1"];
    const codes = await Promise.all([
      ...refusals.map(([promise]) => codeOf(promise)),
      ...dialled.map((target) => codeOf(agent.dial(target))),
    ]);
    await harness.close();

    expect(codes).toEqual([
      ...refusals.map(([, code]) => code),
      "ERR_VIRTUAL_ADDRESS",
      "ERR_VIRTUAL_ADDRESS",
      "ERR_VIRTUAL_TLS",
    ]);
  });

  it("goes by its own clock: nothing of it takes as long as it says", async () => {
    const reportFolder = join(folder, "long");
    const harness = await openHarness({ seed: "9", reportFolder, virtual: true });
    const { clock } = harness.switchboard;
    const begun = performance.now();
    const begunAt = clock.now();
    await new Promise<void>((resolve) => {
      clock.setTimer((begunAt + 3_600_000) as typeof begunAt, resolve);
    });
    expect(clock.now() - begunAt).toBe(3_600_000);
    expect(performance.now() - begun).toBeLessThan(60_000);
    await harness.close();
  });
});
