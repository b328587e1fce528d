import { describe, expect, it } from "vitest";
import { networkProfile } from "../impairment/index.ts";
import { type RelayNetworkOptions, relayNetwork } from "./relay-plan.ts";
import { relayPorts } from "./relay-ports.ts";

const NOTHING: RelayNetworkOptions = {
  network: undefined,
  plan: undefined,
  out: undefined,
  back: undefined,
};

function codeOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    return (error as { readonly code?: string }).code ?? String(error);
  }
  return "none";
}

describe("relayNetwork", () => {
  it("is none, a named one, or figures of each direction", () => {
    expect(relayNetwork(NOTHING)).toEqual({});
    const { sent, received } = networkProfile("3G");
    expect(relayNetwork({ ...NOTHING, network: "3g" })).toEqual({ sent, received });
    const out = "loss=5%, burst=2, delay=40ms, jitter=8ms, twice=1%, corrupted=0.5%, rate=64kbit";
    expect(relayNetwork({ ...NOTHING, out })).toEqual({
      sent: {
        loss: { kind: "gilbert-elliott", toBadRatio: 0.5 * (0.05 / 0.95), toGoodRatio: 0.5 },
        delay: { delayMs: 40, jitterMs: 8 },
        duplicateRatio: 0.01,
        corruptRatio: 0.005,
        rate: { bitsPerSecond: 64_000 },
      },
    });
  });

  it("takes figures before a file, and a file before a name", () => {
    const text = "sent:\n  delay: { delayMs: 7 }\n  changes:\n    - { atMs: 100, settings: {} }\n";
    const plan = { text, path: "plan.yaml" };
    const found = relayNetwork({ ...NOTHING, network: "LTE", plan, out: "loss=1%" });
    expect(found.received).toEqual(networkProfile("LTE").received);
    expect(found.sent).toEqual({
      delay: { delayMs: 7 },
      changes: [{ atMs: 100, settings: {} }],
      loss: { kind: "bernoulli", lossRatio: 0.01 },
    });
  });

  it.each([
    ["an unknown figure", { out: "lost=5%" }, "ERR_RELAY_FIGURES"],
    ["a wrong unit", { back: "delay=40" }, "ERR_RELAY_FIGURES"],
    ["no number", { out: "loss=much%" }, "ERR_RELAY_FIGURES"],
    ["jitter without a delay", { out: "jitter=5ms" }, "ERR_RELAY_FIGURES"],
    ["bursts without a loss", { out: "burst=3" }, "ERR_RELAY_FIGURES"],
    ["more than all", { out: "loss=120%" }, "ERR_IMPAIRMENT"],
    ["less than nothing", { back: "delay=-4ms" }, "ERR_IMPAIRMENT"],
    ["bursts that cannot be", { out: "loss=90%,burst=2" }, "ERR_IMPAIRMENT"],
    ["a rate of nothing", { out: "rate=0kbit" }, "ERR_IMPAIRMENT"],
    ["an unknown network", { network: "pigeon" }, "ERR_NETWORK_UNKNOWN"],
    ["a file of something else", { plan: { text: "a: 1", path: "p" } }, "ERR_RELAY_PLAN"],
    ["a file that is no YAML", { plan: { text: "{", path: "p" } }, "ERR_RELAY_PLAN"],
    [
      "a file with an impossible figure",
      { plan: { text: '{"sent":{"duplicateRatio":3}}', path: "p" } },
      "ERR_IMPAIRMENT",
    ],
  ])("refuses %s", (_name, given, code) => {
    expect(codeOf(() => relayNetwork({ ...NOTHING, ...given }))).toBe(code);
  });
});

describe("relayPorts", () => {
  it("reads ports and where they lead, with the next ones for RTCP", () => {
    expect(relayPorts(["5000=10.0.0.2:6000", "5010:5020=[::1]:7000"], false)).toEqual([
      { nearPort: 5000, farPort: 0, target: { address: "10.0.0.2", port: 6000 } },
      { nearPort: 5010, farPort: 5020, target: { address: "::1", port: 7000 } },
    ]);
    expect(relayPorts(["5000:5002=10.0.0.2:6000"], true)).toEqual([
      { nearPort: 5000, farPort: 5002, target: { address: "10.0.0.2", port: 6000 } },
      { nearPort: 5001, farPort: 5003, target: { address: "10.0.0.2", port: 6001 } },
    ]);
  });

  it.each([
    [[]],
    [["5000"]],
    [["5000=host:6000"]],
    [["5000=10.0.0.2"]],
    [["5000=10.0.0.2:0"]],
    [["70000=10.0.0.2:6000"]],
    [["5000=10.0.0.2:6000", "5000=10.0.0.2:6001"]],
  ])("refuses %j", (texts) => {
    expect(codeOf(() => relayPorts(texts, false))).toBe("ERR_RELAY_PORTS");
  });

  it("cannot tell the next of any port", () => {
    expect(codeOf(() => relayPorts(["0=10.0.0.2:6000"], true))).toBe("ERR_RELAY_PORTS");
  });
});
