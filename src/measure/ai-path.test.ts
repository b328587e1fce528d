import { describe, expect, it } from "vitest";
import { instant } from "../environment/index.ts";
import type { AiStallFact, Fact, PacketFates } from "../timeline/index.ts";
import { carrierWords, measureAiPath } from "./ai-path.ts";

const NONE = { duplicated: 0, overflowed: 0, underWay: 0, corrupted: 0, reordered: 0 };
const SENT: PacketFates = { ...NONE, offered: 10, delivered: 10, lost: 0 };
const RECEIVED: PacketFates = { ...NONE, offered: 100, delivered: 95, lost: 5 };

type Leg = { readonly transport: string; readonly backend?: string };

function changed(atMs: number, leg: Leg, description: string): Fact {
  return {
    kind: "networkChanged",
    party: "bot",
    at: instant(atMs),
    leg: "ai",
    ...leg,
    description,
  };
}

function stalled(
  overdueMs: number,
  causes: readonly string[],
  more: Partial<AiStallFact> = {},
): Fact {
  const base = { kind: "aiStall", party: "bot", at: instant(500), transport: "tcp-modelled" };
  return { ...base, direction: "received", overdueMs, causes, ...more } as Fact;
}

function counts(leg: Leg): Fact {
  const fates = { sent: SENT, received: RECEIVED };
  return { kind: "networkCounts", party: "bot", at: instant(900), leg: "ai", ...leg, ...fates };
}

const MODELLED = { transport: "tcp-modelled" };

describe("measureAiPath", () => {
  it("tells each direction's packets and stalls, each plan since when, and that TCP was a model", () => {
    const path = measureAiPath([
      changed(0, MODELLED, "received: 5 % lost"),
      changed(400, MODELLED, "received: 100 % lost"),
      stalled(80, ["fastRetransmission"]),
      stalled(300, ["retransmissionTimeout", "fastRetransmission"]),
      stalled(60, ["link"], { direction: "sent" }),
      counts(MODELLED),
    ]);
    expect(path).toEqual({
      transport: "tcp-modelled",
      isModelled: true,
      plans: [
        { at: 0, description: "received: 5 % lost" },
        { at: 400, description: "received: 100 % lost" },
      ],
      sent: {
        packets: SENT,
        stalls: { count: 1, longestMs: 60, totalMs: 60, causes: ["link"] },
      },
      received: {
        packets: RECEIVED,
        stalls: {
          count: 2,
          longestMs: 300,
          totalMs: 380,
          causes: ["fastRetransmission", "retransmissionTimeout"],
        },
      },
    });
  });

  it("guesses no stalls where nobody looked, and no packets before they are counted", () => {
    const nft = { transport: "tcp-kernel", backend: "nft" };
    const path = measureAiPath([changed(0, nft, "received: 5 % lost")]);
    expect(path).toMatchObject({ isModelled: false, sent: {}, received: {} });
    expect(path?.received).toEqual({});
  });

  it("leaves out what another leg, or another party's AI, went through", () => {
    const ofRtp: Fact = { ...changed(0, MODELLED, "lost"), leg: "signalling" } as Fact;
    expect(measureAiPath([ofRtp, counts(MODELLED)])).toBeUndefined();
    const path = measureAiPath([
      changed(0, MODELLED, "x"),
      stalled(80, ["link"], { party: "caller" }),
    ]);
    expect(path?.received.stalls?.count).toBe(0);
  });
});

describe("carrierWords", () => {
  it.each([
    [MODELLED, "TCP, modelled"],
    [{ transport: "tcp-kernel", backend: "hub" }, "TCP, kernel"],
    [{ transport: "tcp-kernel", backend: "netem" }, "TCP, kernel through netem"],
    [{ transport: "udp" }, "UDP"],
  ])("%j is %s", (leg, words) => {
    expect(carrierWords(leg)).toBe(words);
  });
});
