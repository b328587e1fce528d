import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Harness, openHarness, type RemoteAgent } from "../../src/index.ts";

const LOCAL = { address: "127.0.0.1", port: 0 };
const CALLS = 12;

describe("agents whose calls are spread over threads", () => {
  let harness: Harness;
  let bot: RemoteAgent;
  let caller: RemoteAgent;

  beforeAll(async () => {
    harness = await openHarness({ seed: "threads", reportFolder: "reports/test-threads" });
    const shared = { local: LOCAL, threads: 2, keepsRecordings: false } as const;
    bot = await harness.addAgent({
      ...shared,
      party: "bot",
      user: "bot",
      answer: { kind: "answer", ringMs: 0 },
    });
    caller = await harness.addAgent({ ...shared, party: "caller", user: "caller" });
  });

  afterAll(async () => {
    await harness.close();
  });

  it("carry all of them under one address, and end them all", async () => {
    const calls = await Promise.all(
      Array.from({ length: CALLS }, () => caller.dial(bot.uri, { media: { codecs: ["PCMA"] } })),
    );
    for (const call of calls) {
      const confirmed = await call.waitFor(
        (fact) => fact.kind === "callPhase" && fact.phase === "confirmed" && fact.party === "bot",
        5000,
      );
      expect(confirmed).toBeDefined();
    }
    await Promise.all(calls.map((call) => call.press("7", { durationMs: 60 })));
    await calls[0]?.waitFor((fact) => fact.kind === "digit" && fact.party === "bot", 3000);
    expect((await bot.liveState()).calls).toBe(CALLS);

    await Promise.all(calls.map((call, index) => call.hangUp(index % 2 === 0 ? "caller" : "bot")));
    for (const call of calls) expect(await call.whenEnded(5000)).toBe(true);

    for (const call of calls) {
      const statistics = call.timeline.of("mediaStatistics");
      expect(statistics.map(({ party }) => party).toSorted()).toEqual(["bot", "caller"]);
      for (const each of statistics) expect(each.packetsReceived).toBeGreaterThan(0);
      expect(
        call.timeline.of("digit").map(({ party, direction }) => `${party} ${direction}`),
      ).toContain("bot received");
    }
    // Both threads of the bot carried calls: their SSRCs and ports come from two seeds.
    expect((await bot.liveState()).calls).toBe(0);
    expect((await caller.liveState()).calls).toBe(0);
  });
});
