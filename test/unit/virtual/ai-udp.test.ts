import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AiOptions, expectAnswered, openHarness, scriptPath } from "../../../src/index.ts";
import type { CallMetrics } from "../../../src/measure/index.ts";
import type { FactOf } from "../../../src/timeline/index.ts";

const LOCAL = { address: "127.0.0.1", port: 0 };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sidetone-ai-udp-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

interface Left {
  readonly metrics: CallMetrics;
  readonly counts: FactOf<"networkCounts"> | undefined;
  readonly playout: readonly FactOf<"playout">[];
}

/** A caller asks for breakfast; the bot reaches its AI over this network. In virtual time. */
async function call(name: string, network: NonNullable<AiOptions["network"]>): Promise<Left> {
  const harness = await openHarness({
    seed: "leg",
    reportFolder: join(folder, name),
    virtual: true,
  });
  try {
    const { url, apiKey } = await harness.startEmbeddedAi({ scriptPath: scriptPath("reception") });
    const bot = await harness.addAgent({
      party: "bot",
      user: "bot",
      local: LOCAL,
      answer: { kind: "answer", ringMs: 0 },
      ai: {
        provider: "openai",
        url,
        apiKey,
        model: "gpt-realtime",
        greets: false,
        turnDetection: { type: "semantic_vad" },
        network,
      },
    });
    const caller = await harness.addAgent({ party: "caller", user: "caller", local: LOCAL });
    const placed = await caller.dial(bot.uri);
    await expectAnswered(placed, 5000);
    const said = await harness.say(placed, { phrase: "What time is breakfast?" });
    expect(await harness.spoken(placed, said, 10_000)).toBe(true);
    await placed.waitFor((fact) => fact.kind === "playout" && fact.event === "ended", 20_000);
    await placed.hangUp();
    await placed.whenEnded(5000);
    const { metrics } = await harness.leave(placed);
    return {
      metrics,
      counts: placed.timeline.of("networkCounts").find(({ leg }) => leg === "ai"),
      playout: placed.timeline.of("playout"),
    };
  } finally {
    await harness.close();
  }
}

describe("a call whose AI is reached over UDP, standing for WebRTC", () => {
  it("goes as over a good network where there is none in between", async () => {
    const { metrics, counts, playout } = await call("clean", { transport: "udp" });
    expect(playout.map(({ event }) => event)).toEqual(["started", "ended"]);
    expect(metrics.bridge?.playout).toMatchObject({ stalls: [], heldMsMax: 40 });
    expect(metrics.bridge?.playout?.playedMs).toBeGreaterThan(4200);
    expect(metrics.turns[0]?.responseLatencyMs).toBeLessThan(1500);
    expect(counts).toMatchObject({ transport: "udp", sent: { lost: 0 }, received: { lost: 0 } });
  });

  it("loses audio, and waits for none of it", async () => {
    const injured = {
      loss: { kind: "bernoulli", lossRatio: 0.05 },
      delay: { delayMs: 40 },
    } as const;
    const { metrics, counts } = await call("lossy", {
      transport: "udp",
      sent: injured,
      received: injured,
      seed: "fate",
    });
    expect(counts?.sent.lost).toBeGreaterThan(2);
    expect(counts?.received.lost).toBeGreaterThan(2);
    expect(mendedMs(counts?.audio?.sent)).toBeGreaterThan(20);
    expect(mendedMs(counts?.audio?.received)).toBeGreaterThan(20);
    expect(metrics.bridge?.playout?.stallMsMax).toBeLessThanOrEqual(60);
    expect(metrics.turns[0]?.responseLatencyMs).toBeLessThan(2000);
  });
});

type Work = NonNullable<FactOf<"networkCounts">["audio"]>["sent"];

/** What stood in for lost audio. */
function mendedMs(work: Work | undefined): number {
  return work === undefined ? 0 : work.concealedMs + work.fecRecoveredMs;
}
