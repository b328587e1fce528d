import { describe, expect, it } from "vitest";
import { instant } from "../../../src/environment/index.ts";
import {
  expectAiHeldUp,
  expectAiHeldUpAtMost,
  expectAiHeldUpInAllAtMost,
  expectAiNetworkLoss,
  requireAiNetwork,
} from "../../../src/expect/index.ts";
import type { FactOf } from "../../../src/timeline/index.ts";
import { codeOf, recordedCall } from "./recorded-call.ts";

const transport = "tcp-modelled";
const at = instant(1000);

const NETWORK: FactOf<"networkChanged"> = {
  kind: "networkChanged",
  party: "bot",
  leg: "ai",
  transport,
  at,
  description: "received: 2 % lost",
};

function stall(overdueMs: number, direction: "sent" | "received"): FactOf<"aiStall"> {
  const causes = ["fastRetransmission"];
  return { kind: "aiStall", party: "bot", transport, at, direction, overdueMs, causes };
}

const FATES = {
  offered: 200,
  duplicated: 0,
  delivered: 196,
  lost: 4,
  overflowed: 0,
  underWay: 0,
  corrupted: 0,
  reordered: 0,
};
const COUNTS: FactOf<"networkCounts"> = {
  kind: "networkCounts",
  party: "bot",
  leg: "ai",
  transport,
  at,
  sent: { ...FATES, delivered: 200, lost: 0 },
  received: FATES,
};

/** From the AI 100 and 250 ms, to it 60 ms. */
const HELD_UP = [
  NETWORK,
  stall(100, "received"),
  stall(250, "received"),
  stall(60, "sent"),
  COUNTS,
];

describe("a network to the AI that breaks down", () => {
  const fault: FactOf<"fault"> = {
    kind: "fault",
    party: "bot",
    at,
    code: "ERR_NAMESPACE_GONE",
    message: "The process has ended.",
    fault: "environment",
  };

  it("breaks the call, whatever its steps made of it", () => {
    expect(() => requireAiNetwork(recordedCall([NETWORK, fault]))).toThrow(
      expect.objectContaining({ code: "ERR_NAMESPACE_GONE", fault: "environment" }),
    );
    expect(() => requireAiNetwork(recordedCall([NETWORK]))).not.toThrow();
    const other = { ...fault, code: "ERR_AI_CLOSED" };
    expect(() => requireAiNetwork(recordedCall([other]))).not.toThrow();
  });
});

describe("expectations of the network to the AI", () => {
  it("refuse to judge what nobody watched: the kernel's TCP through a router", async () => {
    const call = recordedCall([{ ...NETWORK, transport: "tcp-kernel", backend: "nft" }]);

    expect(await codeOf(expectAiHeldUpAtMost(call, { direction: "received", limitMs: 100 }))).toBe(
      "ERR_AI_STALLS_UNSEEN",
    );
  });

  it("look at the longest stall of a direction, and at all of them", async () => {
    const call = recordedCall(HELD_UP);
    const received = { direction: "received" } as const;
    const longest = await expectAiHeldUpAtMost(call, { ...received, limitMs: 250 });
    expect(longest).toContain("2, the longest 250 ms, 350 ms in all (TCP, modelled;");
    expect(await codeOf(expectAiHeldUpAtMost(call, { ...received, limitMs: 249 }))).toBe(
      "ERR_AI_HELD_UP",
    );
    await expectAiHeldUpAtMost(call, { direction: "sent", limitMs: 60 });
    await expectAiHeldUpInAllAtMost(call, { ...received, limitMs: 350 });
    expect(await codeOf(expectAiHeldUpInAllAtMost(call, { ...received, limitMs: 349 }))).toBe(
      "ERR_AI_HELD_UP",
    );
  });

  it("want to see the fault that was asked for", async () => {
    const call = recordedCall(HELD_UP);
    await expectAiHeldUp(call, { direction: "received", atLeastMs: 250 });
    expect(await codeOf(expectAiHeldUp(call, { direction: "sent", atLeastMs: 61 }))).toBe(
      "ERR_NETWORK_HARMLESS",
    );
    await expectAiNetworkLoss(call, { direction: "received", atLeastPercent: 2 });
    expect(await codeOf(expectAiNetworkLoss(call, { direction: "sent", atLeastPercent: 1 }))).toBe(
      "ERR_NETWORK_HARMLESS",
    );
  });

  it("know nothing of a call without such a network", async () => {
    const without = recordedCall([]);
    const limits = { direction: "received", limitMs: 1, atLeastMs: 1, atLeastPercent: 1 } as const;
    expect(await codeOf(expectAiHeldUpAtMost(without, limits))).toBe("ERR_AI_PATH_MISSING");
    expect(await codeOf(expectAiHeldUpInAllAtMost(without, limits))).toBe("ERR_AI_PATH_MISSING");
    expect(await codeOf(expectAiHeldUp(without, limits))).toBe("ERR_AI_PATH_MISSING");
    expect(await codeOf(expectAiNetworkLoss(without, limits))).toBe("ERR_NETWORK_HARMLESS");
    const foreign = recordedCall(HELD_UP, ["caller"]);
    expect(await codeOf(expectAiHeldUpAtMost(foreign, limits))).toBe("ERR_BOT_NOT_OURS");
    expect(await codeOf(expectAiNetworkLoss(foreign, limits))).toBe("ERR_BOT_NOT_OURS");
  });
});
