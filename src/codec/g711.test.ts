import { describe, expect, it } from "vitest";
import { ALAW, type G711Law, MULAW, PCMA, PCMU } from "./index.ts";

/** `ulaw_compress` of the ITU-T Software Tool Library (G.191, g711.c), line by line. */
function stlMulaw(sample: number): number {
  let absno = sample < 0 ? (~sample >> 2) + 33 : (sample >> 2) + 33;
  if (absno > 0x1fff) absno = 0x1fff;
  let rest = absno >> 6;
  let segno = 1;
  while (rest !== 0) {
    segno += 1;
    rest >>= 1;
  }
  const highNibble = 0x0008 - segno;
  const lowNibble = 0x000f - ((absno >> segno) & 0x000f);
  const code = (highNibble << 4) | lowNibble;
  return sample >= 0 ? code | 0x0080 : code;
}

/** `alaw_compress` of the same file. */
function stlAlaw(sample: number): number {
  let ix = sample < 0 ? ~sample >> 4 : sample >> 4;
  if (ix > 15) {
    let iexp = 1;
    while (ix > 16 + 15) {
      ix >>= 1;
      iexp += 1;
    }
    ix -= 16;
    ix += iexp << 4;
  }
  if (sample >= 0) ix |= 0x0080;
  return ix ^ 0x0055;
}

/** `ulaw_expand` of the same file. */
function stlMulawExpand(code: number): number {
  const sign = code < 0x0080 ? -1 : 1;
  const inverted = ~code;
  const exponent = (inverted >> 4) & 7;
  const segment = exponent + 1;
  const mantissa = inverted & 0x000f;
  const step = 4 << segment;
  return sign * ((0x0080 << exponent) + step * mantissa + step / 2 - 4 * 33);
}

/** `alaw_expand` of the same file. */
function stlAlawExpand(code: number): number {
  const ix = (code ^ 0x0055) & 0x007f;
  const iexp = ix >> 4;
  let mant = ix & 0x000f;
  if (iexp > 0) mant += 16;
  mant = (mant << 4) + 0x0008;
  if (iexp > 1) mant <<= iexp - 1;
  return code > 127 ? mant : -mant;
}

const ALL_SAMPLES = Int16Array.from({ length: 65_536 }, (_, index) => index - 32_768);
const ALL_CODES = Uint8Array.from({ length: 256 }, (_, index) => index);

function compressed(law: G711Law, samples: Int16Array): Uint8Array {
  const output = new Uint8Array(samples.length);
  expect(law.compress(samples, output)).toBe(samples.length);
  return output;
}

function expanded(law: G711Law, codes: Uint8Array): Int16Array {
  const output = new Int16Array(codes.length);
  expect(law.expand(codes, output)).toBe(codes.length);
  return output;
}

const LAWS = [
  { law: MULAW, codec: PCMU, compress: stlMulaw, expand: stlMulawExpand },
  { law: ALAW, codec: PCMA, compress: stlAlaw, expand: stlAlawExpand },
];

describe.each(LAWS)("G.711 $codec.name", ({ law, codec, compress, expand }) => {
  it("encodes every 16-bit sample as the ITU-T Software Tool Library does", () => {
    const codes = compressed(law, ALL_SAMPLES);

    const different = ALL_SAMPLES.filter((sample, index) => codes[index] !== compress(sample));
    expect(Array.from(different)).toEqual([]);
  });

  it("decodes every code as the ITU-T Software Tool Library does", () => {
    // Adding zero turns -0 into 0.
    expect(Array.from(expanded(law, ALL_CODES))).toEqual(
      Array.from(ALL_CODES, (code) => expand(code) + 0),
    );
  });

  it("keeps a code through decoding and encoding, but for µ-law's negative zero", () => {
    const again = compressed(law, expanded(law, ALL_CODES));

    const changed = ALL_CODES.filter((code) => again[code] !== code);
    expect(Array.from(changed)).toEqual(law === MULAW ? [0x7f] : []);
  });

  it("uses the static payload type and an 8 kHz clock", () => {
    expect(codec).toMatchObject({
      staticPayloadType: codec === PCMU ? 0 : 8,
      preferredPayloadType: codec === PCMU ? 0 : 8,
      clockRateHz: 8000,
      sampleRateHz: 8000,
      channels: 1,
    });
  });

  it("writes only as much as it read, and refuses an output that is too short", () => {
    const encoder = codec.createEncoder({ ptimeMs: 20 });
    const output = new Uint8Array(4).fill(7);

    expect(encoder.encode(Int16Array.of(0, 0), output)).toBe(2);
    expect(Array.from(output.subarray(2))).toEqual([7, 7]);
    expect(() => encoder.encode(new Int16Array(5), output)).toThrow("Bug");
  });

  it("encodes and decodes by its law", () => {
    const payload = new Uint8Array(ALL_SAMPLES.length);
    const samples = new Int16Array(ALL_CODES.length);

    codec.createEncoder({ ptimeMs: 20 }).encode(ALL_SAMPLES, payload);
    codec.createDecoder().decode(ALL_CODES, samples);

    expect(Buffer.compare(payload, compressed(law, ALL_SAMPLES))).toBe(0);
    expect(samples).toEqual(expanded(law, ALL_CODES));
  });

  it("has one encoder for all calls: it needs no memory of its own", () => {
    expect(codec.createEncoder({ ptimeMs: 20 })).toBe(codec.createEncoder({ ptimeMs: 60 }));
  });
});

describe("literal values of G.711", () => {
  it("decodes µ-law as tabulated", () => {
    const codes = [0x00, 0x01, 0x0f, 0x10, 0x70, 0x7e, 0x7f, 0x80, 0x8f, 0x90, 0xfe, 0xff];
    const samples = [-32124, -31100, -16764, -15996, -120, -8, 0, 32124, 16764, 15996, 8, 0];

    expect(Array.from(expanded(MULAW, Uint8Array.from(codes)))).toEqual(samples);
  });

  it("decodes A-law as tabulated", () => {
    const codes = [0x00, 0x2a, 0x55, 0x54, 0xd5, 0xd4, 0xaa, 0x80, 0x45, 0xc5];
    const samples = [-5504, -32256, -8, -24, 8, 24, 32256, 5504, -264, 264];

    expect(Array.from(expanded(ALAW, Uint8Array.from(codes)))).toEqual(samples);
  });

  it("encodes silence as the idle codes", () => {
    expect(Array.from(compressed(MULAW, Int16Array.of(0)))).toEqual([0xff]);
    expect(Array.from(compressed(ALAW, Int16Array.of(0)))).toEqual([0xd5]);
  });
});
