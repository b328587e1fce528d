import { describe, expect, it } from "vitest";
import { seededRandom } from "../environment/index.ts";
import { ManualClock, VirtualNetwork } from "../testing/index.ts";
import { peekMessage } from "./message-peek.ts";
import { NextHopResolver, nextHopOf } from "./next-hop.ts";

function hopOf(startLine: string, ...headers: string[]) {
  return nextHopOf(peekMessage([startLine, ...headers, "", ""].join("\r\n")));
}

describe("nextHopOf", () => {
  it.each([
    ["INVITE sip:a@host SIP/2.0", [], { host: "host", port: 5060 }],
    ["INVITE sip:a@host:5070 SIP/2.0", [], { host: "host", port: 5070 }],
    ["BYE sip:a@host;maddr=192.0.2.5 SIP/2.0", [], { host: "192.0.2.5", port: 5060 }],
    [
      "BYE sip:a@host SIP/2.0",
      ["Route: <sip:p1:5090;lr>, <sip:p2;lr>"],
      { host: "p1", port: 5090 },
    ],
    ["BYE tel:+1 SIP/2.0", [], undefined],
    ["BYE", [], undefined],
  ])("of the request %s", (startLine, headers, expected) => {
    expect(hopOf(startLine, ...headers)).toEqual(expected);
  });

  it.each([
    ["192.0.2.9:5080;branch=z", { host: "192.0.2.9", port: 5080 }],
    ["pc.example;branch=z", { host: "pc.example", port: 5060 }],
    ["pc.example:5080;received=192.0.2.7;branch=z", { host: "192.0.2.7", port: 5080 }],
    ["pc.example:5080;rport=6000;received=192.0.2.7", { host: "192.0.2.7", port: 6000 }],
    ["pc.example:5080;rport", { host: "pc.example", port: 5080 }],
  ])("of a response by its Via %s", (via, expected) => {
    const hop = hopOf("SIP/2.0 200 OK", `Via: SIP/2.0/UDP ${via}`, "Via: SIP/2.0/UDP other");
    expect(hop).toEqual(expected);
  });

  it("of a response without Via is unknown", () => {
    expect(hopOf("SIP/2.0 200 OK")).toBeUndefined();
  });
});

describe("NextHopResolver", () => {
  it("knows numeric hosts at once, and names for five minutes after it asked", async () => {
    const clock = new ManualClock();
    const hosts = { "bot.example": ["192.0.2.2", "192.0.2.3"] };
    const network = new VirtualNetwork({ clock, random: seededRandom(1), hosts });
    const resolver = new NextHopResolver(network, clock);

    expect(resolver.known({ host: "192.0.2.1", port: 1 })).toEqual({
      address: "192.0.2.1",
      port: 1,
    });
    expect(resolver.known({ host: "[::1]", port: 1 })).toEqual({ address: "::1", port: 1 });
    const hop = { host: "bot.example", port: 5060 };
    expect(resolver.known(hop)).toBeUndefined();
    expect(await resolver.resolve(hop)).toEqual({ address: "192.0.2.2", port: 5060 });
    expect(resolver.known(hop)).toEqual({ address: "192.0.2.2", port: 5060 });
    clock.advance(300_001);
    expect(resolver.known(hop)).toBeUndefined();
  });
});
