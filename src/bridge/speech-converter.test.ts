import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SpeechConverter } from "./speech-converter.ts";

function convert(converter: SpeechConverter, pieces: readonly Int16Array[]): number[] {
  const output: number[] = [];
  for (const piece of pieces) output.push(...converter.push(piece));
  converter.finish((rest) => output.push(...rest));
  return output;
}

function sine(samples: number, sampleRateHz: number, frequencyHz: number): Int16Array {
  return Int16Array.from({ length: samples }, (_, index) => {
    return Math.round(10_000 * Math.sin((2 * Math.PI * frequencyHz * index) / sampleRateHz));
  });
}

describe("SpeechConverter", () => {
  it("gives a third of the samples, aligned with the input", () => {
    const converter = new SpeechConverter({ fromHz: 24_000, toHz: 8000 });
    const output = convert(converter, [sine(24_000, 24_000, 440)]);
    const expected = sine(8000, 8000, 440);

    expect(output).toHaveLength(8000);
    // Away from the edges, where the filter sees silence, the tone is the same one.
    const worst = Math.max(
      ...output.slice(100, 7900).map((sample, index) => {
        return Math.abs(sample - (expected[index + 100] as number));
      }),
    );
    expect(worst).toBeLessThan(60);
  });

  it("gives the same for any chunking, piece after piece", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 12 }),
        (sizes) => {
          const total = sizes.reduce((sum, size) => sum + size, 0);
          const speech = sine(total, 24_000, 1000);
          const converter = new SpeechConverter({ fromHz: 24_000, toHz: 8000 });
          const whole = convert(converter, [speech]);
          let offset = 0;
          const pieces = sizes.map((size) => {
            const piece = speech.subarray(offset, offset + size);
            offset += size;
            return piece;
          });
          expect(convert(converter, pieces)).toEqual(whole);
          expect(whole).toHaveLength(Math.floor(total / 3));
        },
      ),
      { numRuns: 40 },
    );
  });

  it("passes audio that already has the right rate", () => {
    const converter = new SpeechConverter({ fromHz: 8000, toHz: 8000 });
    expect(convert(converter, [Int16Array.of(1, 2, 3)])).toEqual([1, 2, 3]);
  });
});
