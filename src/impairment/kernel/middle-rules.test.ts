import { describe, expect, it } from "vitest";
import { burstyLoss } from "../loss-model.ts";
import { netemCommands, nftCommands } from "./middle-rules.ts";

const loss = { kind: "bernoulli", lossRatio: 0.025 } as const;

describe("nftCommands", () => {
  it("drops TCP from each end by its own share, in place of what was before, and counts it all", () => {
    const [{ input = "" } = { input: "" }] = nftCommands({ sent: { loss } });

    expect(input).toContain("\nflush chain ip sidetone forward\n");
    expect(input).toContain(
      'iifname "near" meta l4proto tcp numgen random mod 1000000 < 25000 counter name sent_lost drop',
    );
    expect(input).toContain('iifname "far" meta l4proto tcp counter name received_offered');
    expect(input).not.toContain("received_lost drop");
  });

  it("takes what asks for nothing", () => {
    expect(nftCommands({ sent: { changes: [], reorderRatio: 0, keepsOrder: false } })).toEqual(
      nftCommands({}),
    );
    expect(netemCommands({ sent: { changes: [] } })).toEqual(netemCommands({}));
  });

  it("refuses what a packet filter cannot do", () => {
    for (const plan of [
      { delay: { delayMs: 1 } },
      { loss: burstyLoss(0.1, 3) },
      { loss, keepsOrder: true },
      { changes: [{ atMs: 0, settings: {} }] },
    ]) {
      expect(() => nftCommands({ received: plan })).toThrow(/nft can only lose packets/);
    }
  });
});

describe("netemCommands", () => {
  it("says it in netem's words, on the device towards the receiver", () => {
    const [sent, received] = netemCommands({
      sent: {
        delay: { delayMs: 40, jitterMs: 8, distribution: "pareto", correlation: 0.25 },
        loss: burstyLoss(0.02, 4),
        rate: { bitsPerSecond: 2_000_000 },
      },
      received: {
        loss,
        delay: { delayMs: 5, jitterMs: 1, distribution: "uniform" },
        duplicateRatio: 0.01,
        corruptRatio: 0.001,
        reorderRatio: 0,
      },
    });

    expect(sent?.args.join(" ")).toBe(
      "qdisc replace dev far root netem limit 200000 delay 40ms 8ms 25% distribution pareto " +
        "loss gemodel 0.510204% 25% 100% 0% rate 2000000bit",
    );
    expect(received?.args.join(" ")).toBe(
      "qdisc replace dev near root netem limit 200000 delay 5ms 1ms loss random 2.5% " +
        "duplicate 1% corrupt 0.1%",
    );
  });

  it("refuses what netem does not have", () => {
    for (const plan of [
      { loss: { kind: "scripted" as const, lost: [[1, 2]] as const } },
      { changes: [{ atMs: 0, settings: {} }] },
      { keepsOrder: true },
    ]) {
      expect(() => netemCommands({ sent: plan })).toThrow(/netem cannot .* hub/s);
    }
  });
});
