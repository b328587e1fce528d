import { describe, expect, it } from "vitest";
import { type AiNetwork, checkAiNetwork } from "./ai-path.ts";

const kernel = { transport: "tcp-kernel" } as const;

describe("checkAiNetwork", () => {
  it.each([
    [
      { ...kernel, backend: "nft", sent: { delay: { delayMs: 5 } } },
      "ERR_IMPAIRMENT",
      /nft can only/,
    ],
    [{ ...kernel, backend: "netem", sent: { keepsOrder: true } }, "ERR_IMPAIRMENT", /netem cannot/],
    [{ backend: "nft" }, "ERR_AI_TRANSPORT", /nft is of the kernel's TCP.*tcp-modelled/],
    [{ transport: "udp", backend: "hub" }, "ERR_AI_TRANSPORT", /reached by udp/],
    [{ ...kernel, backend: "iptables" }, "ERR_AI_TRANSPORT", /hub, nft, netem/],
    [{ transport: "quic" }, "ERR_AI_TRANSPORT", /tcp-modelled, tcp-kernel, udp/],
  ] as const)("refuses %o", (network, code, message) => {
    expect(() => checkAiNetwork(network as AiNetwork)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  it("takes losses through nft, and all else through the hub", () => {
    const loss = { kind: "bernoulli", lossRatio: 0.1 } as const;
    const late = { delay: { delayMs: 5 } };
    for (const network of [
      { ...kernel, backend: "nft", received: { loss } },
      { ...kernel, backend: "netem", received: { loss, ...late } },
      { ...kernel, backend: "hub", received: { ...late, keepsOrder: true } },
    ] as const) {
      expect(() => checkAiNetwork(network)).not.toThrow();
    }
  });
});
