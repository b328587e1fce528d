import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WIRE_FORMATS } from "../openai/wire-format.ts";
import { AudioBase64Decoder, AudioBase64Encoder } from "./audio-base64.ts";

const SAMPLES = fc.array(fc.integer({ min: -32_768, max: 32_767 }), {
  minLength: 160,
  maxLength: 160,
});

describe.each(Object.entries(WIRE_FORMATS))("audio as base64, %s", (_name, format) => {
  it("comes back as it was, as far as the format holds it, however it is cut", () => {
    fc.assert(
      fc.property(SAMPLES, fc.integer({ min: 1, max: 319 }), (values, cut) => {
        const encoder = new AudioBase64Encoder(format, values.length);
        encoder.block.set(values);
        const bytes = Buffer.from(encoder.encode(), "base64");
        expect(bytes).toHaveLength(encoder.blockBytes);
        const decoder = new AudioBase64Decoder(format);
        const at = Math.min(cut, bytes.length);
        const pieces = [bytes.subarray(0, at), bytes.subarray(at)].map((piece) => [
          ...decoder.decode(piece.toString("base64")),
        ]);
        const heard = pieces.flat();

        expect(heard).toHaveLength(values.length);
        const expected = new Int16Array(values);
        if (format.law !== undefined) {
          const codes = new Uint8Array(values.length);
          format.law.compress(expected, codes);
          format.law.expand(codes, expected);
        }
        expect(heard).toEqual([...expected]);
      }),
    );
  });
});

describe("G.711 to the AI", () => {
  it("is a third of PCM's bytes for the same time, at 8 kHz", () => {
    const encoder = new AudioBase64Encoder(WIRE_FORMATS.pcmu, 160);
    expect(encoder.blockBytes).toBe(160);
    expect(new AudioBase64Encoder(WIRE_FORMATS.pcm, 480).blockBytes).toBe(960);
  });
});
