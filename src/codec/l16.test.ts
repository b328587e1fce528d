import { describe, expect, it } from "vitest";
import { L16_8000, L16_16000 } from "./index.ts";

describe.each([L16_8000, L16_16000])("$id", (codec) => {
  it("is the sample in network byte order", () => {
    const payload = new Uint8Array(8);

    const bytes = codec
      .createEncoder({ ptimeMs: 20 })
      .encode(Int16Array.of(1, -2, -32_768, 32_767), payload);

    expect(bytes).toBe(8);
    expect(Array.from(payload)).toEqual([0, 1, 0xff, 0xfe, 0x80, 0, 0x7f, 0xff]);
  });

  it("gives back every sample", () => {
    const samples = Int16Array.from({ length: 65_536 }, (_, index) => index - 32_768);
    const payload = new Uint8Array(samples.length * 2);
    const output = new Int16Array(samples.length);

    codec.createEncoder({ ptimeMs: 20 }).encode(samples, payload);

    expect(codec.createDecoder().decode(payload, output)).toBe(samples.length);
    expect(output.findIndex((sample, index) => sample !== samples[index])).toBe(-1);
  });

  it("leaves an odd byte out", () => {
    const decoder = codec.createDecoder();

    expect(decoder.decode(Uint8Array.of(1, 2, 3), new Int16Array(4))).toBe(1);
    expect(decoder.payloadTicks(Uint8Array.of(1, 2, 3))).toBe(1);
  });

  it("fits into one packet at any duration that it supports", () => {
    const longestMs = codec.sendablePtimeMs(1000);

    expect(longestMs).toBe(codec === L16_8000 ? 80 : 40);
    expect(codec.supportsPtime(longestMs)).toBe(true);
    expect(codec.supportsPtime(longestMs + 10)).toBe(false);
    expect((longestMs * codec.sampleRateHz * 2) / 1000).toBeLessThanOrEqual(1400);
  });
});
