import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALAW } from "../../codec/index.ts";
import { AudioDecoder, EncodedVoices } from "./audio-format.ts";

const PCM = { type: "audio/pcm", rate: 24_000 } as const;

describe("AudioDecoder", () => {
  it("gives the same samples however the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 3000 }),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }),
        (bytes, sizes) => {
          const decoder = new AudioDecoder(PCM);
          const samples: number[] = [];
          for (let at = 0, piece = 0; at < bytes.length; piece += 1) {
            const size = sizes[piece % sizes.length] as number;
            const base64 = Buffer.from(bytes.subarray(at, at + size)).toString("base64");
            samples.push(...(decoder.decode(base64) ?? []));
            at += size;
          }
          const whole = Buffer.from(bytes);
          expect(samples).toEqual(
            Array.from({ length: bytes.length >> 1 }, (_, index) => whole.readInt16LE(index * 2)),
          );
        },
      ),
    );
  });

  it("decodes A-law", () => {
    const samples = new Int16Array(2);
    ALAW.expand(Uint8Array.of(0xd5, 0x2a), samples);

    const decoded = new AudioDecoder({ type: "audio/pcma" }).decode("1So=");

    expect([...(decoded ?? [])]).toEqual([...samples]);
  });

  it("grows with what it gets", () => {
    const bytes = Buffer.alloc(1_000_000, 1);

    expect(new AudioDecoder(PCM).decode(bytes.toString("base64"))).toHaveLength(500_000);
  });

  it.each(["A", "ä", "AA=A", "A===", "AAA=="])("refuses %s", (text) => {
    expect(new AudioDecoder(PCM).decode(text)).toBeUndefined();
  });
});

describe("EncodedVoices", () => {
  it("encodes each recording once per format", () => {
    const samples = new Int16Array(2400).fill(1000);
    const voice = { id: "v", text: "", sampleRateHz: 24_000, samples, onsetMs: 0, offsetMs: 0 };
    const encoded = new EncodedVoices();

    expect(encoded.bytesOf(voice, PCM)).toHaveLength(4800);
    expect(encoded.bytesOf(voice, { type: "audio/pcmu" })).toHaveLength(800);
    expect(encoded.bytesOf(voice, PCM)).toBe(encoded.bytesOf(voice, PCM));
  });
});
