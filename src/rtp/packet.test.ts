import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeRtp, encodeRtp, isRtcp, RTP_HEADER_BYTES, type RtpPacket } from "./packet.ts";

const HEADER = fc.record({
  marker: fc.boolean(),
  payloadType: fc.integer({ min: 0, max: 127 }),
  sequenceNumber: fc.integer({ min: 0, max: 0xffff }),
  timestamp: fc.integer({ min: 0, max: 0xffff_ffff }),
  ssrc: fc.integer({ min: 0, max: 0xffff_ffff }),
});

function hex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
}

function decoded(text: string): RtpPacket {
  const packet = decodeRtp(hex(text));
  if (packet.kind !== "rtp") throw new Error(packet.reason);
  return packet;
}

function reasonFor(text: string): string {
  const packet = decodeRtp(hex(text));
  return packet.kind === "malformed" ? packet.reason : "";
}

describe("decodeRtp", () => {
  it("reads the fields of RFC 3550 §5.1", () => {
    const packet = decoded("80 88 1234 89abcdef fedcba98 010203");

    expect(packet).toMatchObject({
      marker: true,
      payloadType: 8,
      sequenceNumber: 0x1234,
      timestamp: 0x89abcdef,
      ssrc: 0xfedcba98,
    });
    expect([...packet.payload]).toEqual([1, 2, 3]);
  });

  it("skips CSRCs, the header extension and padding", () => {
    const packet = decoded(
      "b2 00 0001 00000001 00000002 aaaaaaaa bbbbbbbb bede0001 deadbeef 0a0b 000003",
    );

    expect([...packet.payload]).toEqual([0x0a, 0x0b]);
  });

  it("accepts an extension without words, at the packet's very end", () => {
    expect(decoded("90 00 0001 00000001 00000002 bede0000").payload).toHaveLength(0);
  });

  it("accepts an empty payload, and a payload that is all padding", () => {
    expect(decoded("80 00 0001 00000001 00000002").payload).toHaveLength(0);
    expect(decoded("a0 00 0001 00000001 00000002 000003").payload).toHaveLength(0);
  });

  it.each([
    ["80 00 0001 00000001 000000", "shorter"],
    ["00 01 0008 2112a442 000000000000000000000000", "version"],
    ["8f 00 0001 00000001 00000002 aaaaaaaa", "CSRC"],
    ["90 00 0001 00000001 00000002 bede", "extension"],
    ["90 00 0001 00000001 00000002 bede0004 00000000", "extension"],
    ["a0 00 0001 00000001 00000002 0000", "padding"],
    ["a0 00 0001 00000001 00000002 0004", "padding"],
    ["a0 00 0001 00000001 00000002", "padding"],
  ])("says why %s is no RTP packet", (bytes, word) => {
    expect(reasonFor(bytes)).toContain(word);
  });

  it("throws for no input (property)", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (data, forceVersion) => {
        if (forceVersion && data.length > 0) data[0] = ((data[0] ?? 0) & 0x3f) | 0x80;

        expect(["rtp", "malformed"]).toContain(decodeRtp(data).kind);
      }),
      { numRuns: 2000 },
    );
  });

  it("gives back what encodeRtp wrote (property)", () => {
    fc.assert(
      fc.property(HEADER, fc.uint8Array({ maxLength: 400 }), (header, payload) => {
        const output = new Uint8Array(RTP_HEADER_BYTES + payload.length + 7).fill(0xee);

        const packetBytes = encodeRtp(header, payload, output);

        expect(packetBytes).toBe(RTP_HEADER_BYTES + payload.length);
        const expected = { kind: "rtp", ...header, payload };
        expect(decodeRtp(output.subarray(0, packetBytes))).toEqual(expected);
      }),
    );
  });
});

describe("isRtcp", () => {
  it("tells sender reports from RTP with the same first bits", () => {
    expect(isRtcp(hex("80 c8 0006"))).toBe(true);
    expect(isRtcp(hex("81 c9 0007"))).toBe(true);
    expect(isRtcp(hex("80 df 0000"))).toBe(true);
    expect(isRtcp(hex("80 00 0001"))).toBe(false);
    expect(isRtcp(hex("80 e0 0001"))).toBe(false);
    expect(isRtcp(hex("80 bf 0001"))).toBe(false);
    expect(isRtcp(hex("00 c8 0001"))).toBe(false);
    expect(isRtcp(hex("80"))).toBe(false);
  });
});
