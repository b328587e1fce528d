import { describe, expect, it } from "vitest";
import { peekMessage } from "./message-peek.ts";
import { nextHopOf } from "./next-hop.ts";

function hopOf(startLine: string, ...headers: string[]) {
  return nextHopOf(peekMessage([startLine, ...headers, "", ""].join("\r\n")));
}

const PLAIN = { port: undefined, transport: undefined, isSecure: false };

describe("nextHopOf", () => {
  it.each([
    ["INVITE sip:a@host SIP/2.0", [], { host: "host" }],
    ["INVITE sip:a@host:5070 SIP/2.0", [], { host: "host", port: 5070 }],
    ["INVITE sip:a@host;transport=TCP SIP/2.0", [], { host: "host", transport: "tcp" }],
    ["INVITE sips:a@host SIP/2.0", [], { host: "host", isSecure: true }],
    [
      "INVITE sips:a@host;transport=tcp SIP/2.0",
      [],
      { host: "host", transport: "tls", isSecure: true },
    ],
    [
      "INVITE sips:a@host;transport=ws SIP/2.0",
      [],
      { host: "host", transport: "wss", isSecure: true },
    ],
    ["INVITE sip:a@host;transport=sctp SIP/2.0", [], undefined],
    ["BYE sip:a@host;maddr=192.0.2.5 SIP/2.0", [], { host: "192.0.2.5" }],
    [
      "BYE sip:a@host SIP/2.0",
      ["Route: <sip:p1:5090;lr;transport=tls>, <sip:p2;lr>"],
      { host: "p1", port: 5090, transport: "tls" },
    ],
    ["BYE tel:+1 SIP/2.0", [], undefined],
    ["BYE", [], undefined],
  ] as const)("of the request %s", (startLine, headers, expected) => {
    expect(hopOf(startLine, ...headers)).toEqual(expected && { ...PLAIN, ...expected });
  });

  it.each([
    ["UDP 192.0.2.9:5080;branch=z", { host: "192.0.2.9", port: 5080 }],
    ["UDP pc.example;branch=z", { host: "pc.example" }],
    ["UDP pc.example:5080;received=192.0.2.7;branch=z", { host: "192.0.2.7", port: 5080 }],
    ["UDP pc.example:5080;rport=6000;received=192.0.2.7", { host: "192.0.2.7", port: 6000 }],
    ["UDP pc.example:5080;rport", { host: "pc.example", port: 5080 }],
    // RFC 3261 §18.2.2: a new connection goes to the sent-by, not to where the old one came from.
    [
      "TCP pc.example:5080;rport=6000;received=192.0.2.7",
      { host: "192.0.2.7", port: 5080, transport: "tcp" },
    ],
  ] as const)("of a response by its Via %s", (via, expected) => {
    const hop = hopOf("SIP/2.0 200 OK", `Via: SIP/2.0/${via}`, "Via: SIP/2.0/UDP other");
    expect(hop).toEqual({ ...PLAIN, transport: "udp", ...expected });
  });

  it("of a response without Via is unknown", () => {
    expect(hopOf("SIP/2.0 200 OK")).toBeUndefined();
  });
});
