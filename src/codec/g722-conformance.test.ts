import { describe, expect, it } from "vitest";
import { HigherBand, LowerBand } from "./g722-bands.ts";

/**
 * The digital test sequences of ITU-T G.722 Appendix II, which by-pass the filters. Two of the three
 * inputs can be built from the Recommendation's text, and it prints the CRC-32 of every file
 * (Table II.6, little-endian words), so that no file is needed.
 */
const CRC32 = {
  "bt1c2.xmt": 0x2d60_4685,
  "bt2r2.cod": 0x344e_a5d0,
  "bt3l2.rc1": 0xaf00_f31f,
  "bt3h2.rc0": 0x5330_ae2e,
  "bt1d3.cod": 0x7398_964f,
  "bt3l3.rc1": 0xa537_4659,
  "bt3h3.rc0": 0x3731_ad7f,
};

/** Of each file's beginning and end (II.4.5): reset, and no valid data. */
const MARKERS = Array.from({ length: 16 }, () => 1);

describe("G.722 Appendix II", () => {
  it("encodes the overflow sequence (T1C2 → T2R2)", () => {
    const input = overflowSequence();
    const lower = new LowerBand();
    const higher = new HigherBand();

    const codes = input.map((sample) => (higher.encode(sample) << 6) | lower.encode(sample));

    expect(crc32Of(input.map((sample) => sample << 1))).toBe(CRC32["bt1c2.xmt"]);
    expect(crc32Of(codes.map((code) => code << 8))).toBe(CRC32["bt2r2.cod"]);
  });

  it("decodes the overflow sequence (T2R2 → T3L2, T3H2)", () => {
    const lowerEncoder = new LowerBand();
    const higherEncoder = new HigherBand();
    const input = overflowSequence();

    const lower = new LowerBand();
    const higher = new HigherBand();
    const lowerOut = input.map((sample) => lower.decode(lowerEncoder.encode(sample)));
    const higherOut = input.map((sample) => higher.decode(higherEncoder.encode(sample)));

    expect(crc32Of(lowerOut.map((sample) => sample << 1))).toBe(CRC32["bt3l2.rc1"]);
    expect(crc32Of(higherOut.map((sample) => sample << 1))).toBe(CRC32["bt3h2.rc0"]);
  });

  it("decodes the artificial sequence with its forbidden codes (T1D3 → T3L3, T3H3)", () => {
    const codes = artificialSequence();
    const lower = new LowerBand();
    const higher = new HigherBand();

    const lowerOut = codes.map((code) => lower.decode(code & 0x3f) << 1);
    const higherOut = codes.map((code) => higher.decode(code >> 6) << 1);

    expect(crc32Of(codes.map((code) => code << 8))).toBe(CRC32["bt1d3.cod"]);
    expect(crc32Of(lowerOut)).toBe(CRC32["bt3l3.rc1"]);
    expect(crc32Of(higherOut)).toBe(CRC32["bt3h3.rc0"]);
  });
});

/** Table II-3: 768 samples of 15 bits that overflow what can overflow. */
function overflowSequence(): number[] {
  return [
    ...cycle(639, [-16_384, 16_383]),
    0,
    -10_000,
    -8192,
    ...cycle(126, [-16_384, 16_383, -16_384]),
  ];
}

function cycle(length: number, pattern: readonly number[]): number[] {
  return Array.from({ length }, (_, index) => pattern[index % pattern.length] as number);
}

/** II.3.2: 16 384 codes; the sign bits are the same in both bands. */
function artificialSequence(): number[] {
  const signs = ["001", "11110000", "1", "1100", "10", "00000100", "00101", "11000"];
  const higherHalves = [undefined, 16, 0, 8, 0, 4, undefined, 2];
  return Array.from({ length: 16_384 }, (_, index) => {
    const part = index >> 11;
    const within = index & 2047;
    const pattern = signs[part] as string;
    const sign = Number(pattern[within % pattern.length]);
    const half = higherHalves[part];
    const higherBit = half === undefined || (half > 0 && within % (2 * half) < half) ? 1 : 0;
    return (sign << 7) | (higherBit << 6) | (sign << 5) | lowerMagnitude(index);
  });
}

/** Table II-4: 64 parts, in turn constant and changing every 16 codes. */
function lowerMagnitude(index: number): number {
  const part = index >> 8;
  const isFirstHalf = (index & 31) < 16;
  if (part === 63) return isFirstHalf ? 0 : 3;
  const value = 31 - (part >> 1);
  return part % 2 === 0 || isFirstHalf ? value : value - 1;
}

/** CRC-32 of the file of 16-bit words, least significant byte first, with its markers. */
function crc32Of(words: readonly number[]): number {
  let crc = ~0;
  for (const word of [...MARKERS, ...words, ...MARKERS]) {
    for (const byte of [word & 0xff, (word >> 8) & 0xff]) {
      crc ^= byte;
      for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0);
    }
  }
  return ~crc >>> 0;
}
