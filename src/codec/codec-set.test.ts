import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { levelDbov, tone } from "../audio/index.ts";
import {
  CODECS,
  codecOf,
  G722,
  L16_8000,
  L16_16000,
  loadCodecs,
  OPUS,
  PCMA,
  PCMU,
} from "./index.ts";

beforeAll(async () => {
  await loadCodecs(CODECS.map((codec) => codec.id));
});

describe("codecOf", () => {
  it("finds codecs in any case", () => {
    expect(codecOf("pcmu")).toBe(PCMU);
    expect(codecOf("PCMA")).toBe(PCMA);
    expect(codecOf("g722")).toBe(G722);
    expect(codecOf("OPUS")).toBe(OPUS);
    expect(codecOf("l16/8000")).toBe(L16_8000);
    expect(codecOf("L16/16000")).toBe(L16_16000);
  });

  it.each(["g729", "L16", ""])("names those that exist when asked for %j", (id) => {
    expect(() => codecOf(id)).toThrow(
      expect.objectContaining({ code: "ERR_UNKNOWN_CODEC", fault: "usage" }),
    );
    expect(() => codecOf(id)).toThrow("PCMU, PCMA, G722, opus, L16/16000, L16/8000");
  });
});

describe("CODECS", () => {
  it("are offered under different payload types, dynamic ones where they have no static one", () => {
    const numbers = CODECS.map((codec) => codec.preferredPayloadType);

    expect(new Set(numbers).size).toBe(CODECS.length);
    for (const codec of CODECS) {
      const { staticPayloadType, preferredPayloadType } = codec;
      const isDynamic = preferredPayloadType >= 96 && preferredPayloadType <= 127;
      expect(isDynamic || preferredPayloadType === staticPayloadType).toBe(true);
    }
  });

  it("loads more than once", async () => {
    await loadCodecs(["opus", "PCMU"]);
    await expect(loadCodecs(["opus"])).resolves.toBeUndefined();
  });
});

describe.each(CODECS)("$id", (codec) => {
  const perMs = codec.sampleRateHz / 1000;

  it("makes packets of each duration that it supports, and decodes and measures them", () => {
    for (const ptimeMs of [10, 20, 30, 40, 60].filter((ms) => codec.supportsPtime(ms))) {
      const encoder = codec.createEncoder({ ptimeMs });
      const decoder = codec.createDecoder();
      const payload = new Uint8Array(1500);
      const output = new Int16Array(ptimeMs * perMs);
      const frame = tone({
        frequencyHz: 700,
        durationMs: ptimeMs,
        sampleRateHz: codec.sampleRateHz,
      });

      const bytes = encoder.encode(frame, payload);
      const packet = payload.subarray(0, bytes);

      expect(bytes).toBeGreaterThan(0);
      expect(decoder.payloadTicks(packet)).toBe((ptimeMs * codec.clockRateHz) / 1000);
      expect(decoder.decode(packet, output)).toBe(output.length);
      encoder.release();
      decoder.release();
    }
  });

  it("supports 20 ms, and knows the nearest duration that it can send", () => {
    expect(codec.supportsPtime(20)).toBe(true);
    expect(codec.supportsPtime(0)).toBe(false);
    expect(codec.supportsPtime(Number.NaN)).toBe(false);
    expect(codec.sendablePtimeMs(20)).toBe(20);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), (wantedMs) =>
        codec.supportsPtime(codec.sendablePtimeMs(wantedMs)),
      ),
    );
  });

  it("decodes any bytes, into any room, without throwing", () => {
    const decoder = codec.createDecoder();
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 1500 }),
        fc.integer({ min: 0, max: 3000 }),
        (payload, room) => {
          const output = new Int16Array(room + 1).fill(77);
          const written = decoder.decode(payload, output.subarray(0, room));
          expect(written).toBeGreaterThanOrEqual(0);
          expect(written).toBeLessThanOrEqual(room);
          expect(output[room]).toBe(77);
          expect(Number.isInteger(decoder.payloadTicks(payload))).toBe(true);
          decoder.recover(payload, output.subarray(0, room));
          expect(output[room]).toBe(77);
        },
      ),
      { numRuns: 500 },
    );
    decoder.release();
  });

  it("conceals from the first moment, for any duration, and falls silent", () => {
    const decoder = codec.createDecoder();
    const first = new Int16Array(123).fill(5);
    decoder.conceal(first);
    expect(levelDbov(first)).toBeLessThan(-80);

    const encoder = codec.createEncoder({ ptimeMs: 20 });
    const speech = tone({ frequencyHz: 400, durationMs: 20, sampleRateHz: codec.sampleRateHz });
    const payload = new Uint8Array(1500);
    const output = new Int16Array(20 * perMs);
    for (let packet = 0; packet < 10; packet += 1) {
      const bytes = encoder.encode(speech, payload);
      decoder.decode(payload.subarray(0, bytes), output);
    }
    const begin = new Int16Array(10 * perMs);
    decoder.conceal(begin);
    expect(levelDbov(begin)).toBeGreaterThan(-30);
    for (const length of [1, 7, 59, 61, 333, 2000]) decoder.conceal(new Int16Array(length));
    const late = new Int16Array(400 * perMs);
    decoder.conceal(late);
    expect(levelDbov(late)).toBeLessThan(-45);
    encoder.release();
    decoder.release();
  });

  it("can be released twice", () => {
    const encoder = codec.createEncoder({ ptimeMs: 20 });
    const decoder = codec.createDecoder();
    for (const part of [encoder, encoder, decoder, decoder]) part.release();
    expect(encoder.lookaheadMs).toBeGreaterThanOrEqual(0);
  });
});

describe.each(CODECS.filter((codec) => codec !== OPUS))("$id", (codec) => {
  it("has nothing in a packet to recover another one from", () => {
    const output = new Int16Array(320).fill(9);

    expect(codec.createDecoder().recover(new Uint8Array(160), output)).toBe(false);
    expect(output.every((sample) => sample === 9)).toBe(true);
  });

  it("decodes into an output longer than the packet the same as into one that fits", () => {
    const payload = Uint8Array.from({ length: 160 }, (_, index) => (index * 37) & 0xff);
    const fitting = new Int16Array(320);
    const longer = new Int16Array(500);
    const one = codec.createDecoder();
    const other = codec.createDecoder();

    const hole = new Int16Array(100);
    for (let packet = 0; packet < 3; packet += 1) {
      const count = one.decode(payload, fitting);
      expect(other.decode(payload, longer)).toBe(count);
      expect(longer.subarray(0, count)).toEqual(fitting.subarray(0, count));
      one.conceal(hole);
      other.conceal(hole);
    }
  });
});
