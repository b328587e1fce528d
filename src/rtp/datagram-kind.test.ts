import { describe, expect, it } from "vitest";
import { datagramKind } from "./datagram-kind.ts";

describe("datagramKind", () => {
  it.each([
    ["rtp", [0x80, 0x00]],
    ["rtp", [0xbf, 0xe0]],
    ["rtp", [0x80]],
    ["rtcp", [0x80, 0xc8]],
    ["rtcp", [0x81, 0xcf]],
    ["stun", [0x00, 0x01, 0x00, 0x08]],
    ["stun", [0x03]],
    ["zrtp", [0x10, 0x00]],
    ["dtls", [0x16, 0xfe]],
    ["dtls", [0x3f]],
    ["turnChannel", [0x40, 0x00]],
    ["unknown", [0x04]],
    ["unknown", [0x50]],
    ["unknown", [0xc0, 0xc8]],
    ["unknown", []],
  ])("names %s by its first octets %j (RFC 7983 §7)", (kind, octets) => {
    expect(datagramKind(Uint8Array.from(octets))).toBe(kind);
  });
});
