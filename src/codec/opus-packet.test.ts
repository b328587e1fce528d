import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasInbandFec, opusPacketTicks } from "./opus-packet.ts";

/** The first byte of a packet (RFC 6716 §3.1). */
function toc(configuration: number, code: number, isStereo = false): number {
  return (configuration << 3) | (isStereo ? 4 : 0) | code;
}

describe("opusPacketTicks", () => {
  it.each([
    ["SILK 10 ms", 0, 480],
    ["SILK 20 ms", 5, 960],
    ["SILK 40 ms", 10, 1920],
    ["SILK 60 ms", 11, 2880],
    ["hybrid 10 ms", 12, 480],
    ["hybrid 20 ms", 15, 960],
    ["CELT 2.5 ms", 16, 120],
    ["CELT 5 ms", 21, 240],
    ["CELT 10 ms", 26, 480],
    ["CELT 20 ms", 31, 960],
  ])("tells the frame duration of %s", (_, configuration, ticks) => {
    expect(opusPacketTicks(Uint8Array.of(toc(configuration, 0), 1, 2))).toBe(ticks);
    expect(opusPacketTicks(Uint8Array.of(toc(configuration, 0, true)))).toBe(ticks);
  });

  it("counts the frames: one, two, two, or as told", () => {
    expect(opusPacketTicks(Uint8Array.of(toc(31, 0)))).toBe(960);
    expect(opusPacketTicks(Uint8Array.of(toc(31, 1)))).toBe(1920);
    expect(opusPacketTicks(Uint8Array.of(toc(31, 2)))).toBe(1920);
    expect(opusPacketTicks(Uint8Array.of(toc(31, 3), 5))).toBe(4800);
    expect(opusPacketTicks(Uint8Array.of(toc(16, 3), 0xc0 | 48))).toBe(5760);
  });

  it("is 0 where the packet tells nothing, or more than 120 ms", () => {
    expect(opusPacketTicks(new Uint8Array(0))).toBe(0);
    expect(opusPacketTicks(Uint8Array.of(toc(31, 3)))).toBe(0);
    expect(opusPacketTicks(Uint8Array.of(toc(31, 3), 0))).toBe(0);
    expect(opusPacketTicks(Uint8Array.of(toc(31, 3), 7))).toBe(0);
    expect(opusPacketTicks(Uint8Array.of(toc(16, 3), 49))).toBe(0);
    expect(opusPacketTicks(Uint8Array.of(toc(11, 3), 3))).toBe(0);
  });
});

describe("hasInbandFec", () => {
  const SILK_20 = toc(9, 0);
  const SILK_60 = toc(11, 0);

  it("reads the flag behind those of the frame's activity", () => {
    expect(hasInbandFec(Uint8Array.of(SILK_20, 0b0100_0000))).toBe(true);
    expect(hasInbandFec(Uint8Array.of(SILK_20, 0b1011_1111))).toBe(false);
    // Three inner frames of 20 ms have three flags of activity.
    expect(hasInbandFec(Uint8Array.of(SILK_60, 0b0001_0000))).toBe(true);
    expect(hasInbandFec(Uint8Array.of(SILK_60, 0b1110_1111))).toBe(false);
    expect(hasInbandFec(Uint8Array.of(toc(8, 0), 0b0100_0000))).toBe(true);
    expect(hasInbandFec(Uint8Array.of(toc(13, 0), 0b0100_0000))).toBe(true);
  });

  it("reads the flag of the second channel too", () => {
    expect(hasInbandFec(Uint8Array.of(toc(9, 0, true), 0b0001_0000))).toBe(true);
    expect(hasInbandFec(Uint8Array.of(toc(9, 0, true), 0b1010_1111))).toBe(false);
    expect(hasInbandFec(Uint8Array.of(toc(11, 0, true), 0b0000_0001))).toBe(true);
  });

  it("finds the first frame of every packing", () => {
    const frame = [0b0100_0000, 9];
    const packets = [
      [toc(9, 1), ...frame, ...frame],
      [toc(9, 2), 2, ...frame, 7],
      [toc(9, 2), 2, ...frame],
      [toc(9, 3), 2, ...frame, ...frame],
      [toc(9, 3), 0x42, 3, ...frame, ...frame, 0, 0, 0],
      [toc(9, 3), 0x81, ...frame],
      [toc(9, 3), 0xc3, 1, 2, 0, ...frame, 5, 0],
    ];
    expect(packets.map((packet) => hasInbandFec(Uint8Array.from(packet)))).toEqual(
      packets.map(() => true),
    );
    const padding = new Uint8Array(2 + 2 + 2 + 254 + 3);
    padding.set([toc(9, 3), 0x41, 255, 3, ...frame]);
    expect(hasInbandFec(padding)).toBe(true);
  });

  it("is false for music frames, silence, and what is malformed", () => {
    const packets = [
      [],
      [SILK_20],
      [toc(31, 0), 0xff],
      [toc(9, 1), 0xff],
      [toc(9, 2)],
      [toc(9, 2), 0, 0xff],
      [toc(9, 2), 5, 0xff],
      [toc(9, 2), 252],
      [toc(9, 3)],
      [toc(9, 3), 0, 0xff],
      [toc(9, 3), 2, 0xff],
      [toc(9, 3), 0x41, 9, 0xff],
      [toc(9, 3), 0x41],
      [toc(9, 3), 0x82, 9, 0xff],
    ];
    expect(packets.filter((packet) => hasInbandFec(Uint8Array.from(packet)))).toEqual([]);
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (payload) => {
        expect(typeof hasInbandFec(payload)).toBe("boolean");
      }),
      { numRuns: 2000 },
    );
  });
});
