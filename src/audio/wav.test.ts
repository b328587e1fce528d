import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isSidetoneError } from "../environment/index.ts";
import { decodeWav, encodeWav } from "./wav.ts";

const int16 = fc.integer({ min: -32_768, max: 32_767 });

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

function u16(value: number): number[] {
  return [value & 0xff, value >> 8];
}

function u32(value: number): number[] {
  return [...u16(value & 0xffff), ...u16(value >>> 16)];
}

function chunk(id: string, content: readonly number[], stated: number = content.length): number[] {
  const padding = content.length % 2 === 1 ? [0] : [];
  return [...ascii(id), ...u32(stated), ...content, ...padding];
}

function wave(...chunks: readonly number[][]): Uint8Array {
  const content = [...ascii("WAVE"), ...chunks.flat()];
  return Uint8Array.from([...ascii("RIFF"), ...u32(content.length), ...content]);
}

function format(changes: { tag?: number; channels?: number; rate?: number; bits?: number } = {}) {
  const { tag = 1, channels = 1, rate = 8000, bits = 16 } = changes;
  const frameBytes = (channels * bits) / 8;
  return [
    ...u16(tag),
    ...u16(channels),
    ...u32(rate),
    ...u32(rate * frameBytes),
    ...u16(frameBytes),
    ...u16(bits),
  ];
}

function outcome(bytes: Uint8Array): string {
  try {
    decodeWav(bytes);
    return "decoded";
  } catch (error) {
    return isSidetoneError(error) ? error.code : String(error);
  }
}

describe("encodeWav and decodeWav", () => {
  it("give back what they were given (property)", () => {
    const audio = fc.record({
      sampleRateHz: fc.constantFrom(8000, 16_000, 24_000, 48_000),
      frames: fc.array(fc.tuple(int16, int16), { maxLength: 200 }),
      channelCount: fc.constantFrom(1, 2),
    });
    fc.assert(
      fc.property(audio, ({ sampleRateHz, frames, channelCount }) => {
        const channels = Array.from({ length: channelCount }, (_, channel) =>
          Int16Array.from(frames, (frame) => frame[channel] as number),
        );
        expect(decodeWav(encodeWav({ sampleRateHz, channels }))).toEqual({
          sampleRateHz,
          channels,
        });
      }),
    );
  });

  it("writes the canonical 44-byte header", () => {
    const bytes = encodeWav({ sampleRateHz: 8000, channels: [Int16Array.of(1, -2)] });

    expect(Array.from(bytes)).toEqual(
      Array.from(wave(chunk("fmt ", format()), chunk("data", [1, 0, 0xfe, 0xff]))),
    );
  });

  it("refuses to write more than two channels, none, or channels of unequal length", () => {
    const mono = Int16Array.of(1);

    const unsupported = expect.objectContaining({ code: "ERR_WAV_UNSUPPORTED" });
    for (const channels of [[], [mono, mono, mono], [mono, new Int16Array(2)]]) {
      expect(() => encodeWav({ sampleRateHz: 8000, channels })).toThrow(unsupported);
    }
  });
});

describe("decodeWav", () => {
  it("reads WAVE_FORMAT_EXTENSIBLE whose sub-format is PCM", () => {
    const extension = [
      ...u16(22),
      ...u16(16),
      ...u32(3),
      1,
      0,
      ...Array.from({ length: 14 }, () => 0),
    ];
    const header = [...format({ tag: 0xfffe, channels: 2 }), ...extension];

    const audio = decodeWav(wave(chunk("fmt ", header), chunk("data", [1, 0, 2, 0, 3, 0, 4, 0])));

    expect(audio.channels).toEqual([Int16Array.of(1, 3), Int16Array.of(2, 4)]);
  });

  it("skips chunks that it does not know, of odd length too, wherever they are", () => {
    const bytes = wave(
      chunk("LIST", [1, 2, 3]),
      chunk("fmt ", format()),
      chunk("fact", [0]),
      chunk("data", [5, 0]),
      chunk("id3 ", [9]),
    );

    expect(decodeWav(bytes).channels).toEqual([Int16Array.of(5)]);
  });

  it("reads a view into a larger buffer", () => {
    const bytes = wave(chunk("fmt ", format()), chunk("data", [5, 0]));
    const larger = new Uint8Array(bytes.length + 7);
    larger.set(bytes, 7);

    expect(decodeWav(larger.subarray(7)).channels).toEqual([Int16Array.of(5)]);
  });

  it("takes all that follows where a pipe's writer did not know the length", () => {
    const bytes = wave(chunk("fmt ", format()), chunk("data", [5, 0, 6, 0], 0xffff_ffff));

    expect(decodeWav(bytes).channels).toEqual([Int16Array.of(5, 6)]);
  });

  it("says at which byte a truncated file ends early", () => {
    const whole = encodeWav({ sampleRateHz: 8000, channels: [new Int16Array(100)] });

    expect(() => decodeWav(whole.subarray(0, 144))).toThrow(
      expect.objectContaining({ code: "ERR_WAV_MALFORMED", context: { offset: 44 } }),
    );
    expect(() => decodeWav(whole.subarray(0, 144))).toThrow("200 bytes, of which 100 are there");
  });

  it.each([
    ["empty", new Uint8Array(0)],
    ["some other file", Uint8Array.from(ascii("ID3 something else"))],
    ["without data", wave(chunk("fmt ", format()))],
    ["with data before the format", wave(chunk("data", [1, 0]), chunk("fmt ", format()))],
    ["with a short format", wave(chunk("fmt ", [1, 0]), chunk("data", [1, 0]))],
    ["with half a sample", wave(chunk("fmt ", format()), chunk("data", [1, 0, 2]))],
    ["with a rate of 0", wave(chunk("fmt ", format({ rate: 0 })), chunk("data", []))],
  ])("calls a file malformed that is %s", (_, bytes) => {
    expect(() => decodeWav(bytes)).toThrow(
      expect.objectContaining({ code: "ERR_WAV_MALFORMED", fault: "usage" }),
    );
  });

  it.each([
    ["µ-law", { tag: 7, bits: 8 }],
    ["A-law", { tag: 6, bits: 8 }],
    ["floating point", { tag: 3, bits: 32 }],
    ["24 bits", { bits: 24 }],
    ["6 channels", { channels: 6 }],
  ])("names what it does not support (%s), and how to convert it", (what, changes) => {
    const bytes = wave(chunk("fmt ", format(changes)), chunk("data", []));

    const unsupported = expect.objectContaining({ code: "ERR_WAV_UNSUPPORTED" });
    expect(() => decodeWav(bytes)).toThrow(unsupported);
    expect(() => decodeWav(bytes)).toThrow(what);
    expect(() => decodeWav(bytes)).toThrow("sox in.wav");
  });

  it("throws nothing but its own errors, whatever the bytes (property)", () => {
    const seed = encodeWav({ sampleRateHz: 8000, channels: [new Int16Array(8)] });
    const edits = fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { maxLength: 6 });
    fc.assert(
      fc.property(edits, fc.nat(seed.length), (changes, length) => {
        const bytes = seed.slice(0, length);
        for (const [at, value] of changes) if (at < length) bytes[at] = value;
        expect(outcome(bytes)).toMatch(/^(decoded|ERR_WAV_MALFORMED|ERR_WAV_UNSUPPORTED)$/);
      }),
    );
  });
});
