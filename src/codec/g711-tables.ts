/**
 * The companding laws of ITU-T G.711 as tables, exact to the reference code of the ITU-T Software
 * Tool Library (G.191), which takes the ones' complement of negative samples. Encoders that negate
 * instead differ from it at 127 of the 65 536 inputs.
 *
 * µ-law looks at the upper 14 bits of a 16-bit sample and A-law at the upper 12, so the encoding
 * tables have 16 384 and 4096 entries: small enough to stay in the processor's first cache.
 */

const MULAW_BIAS = 33;
const MULAW_CLIP = 0x1fff;

/** How far a sample is shifted right to index `MULAW_ENCODING`. */
export const MULAW_SHIFT = 2;
/** How far a sample is shifted right to index `ALAW_ENCODING`. */
export const ALAW_SHIFT = 4;

/** Code of each value of a sample's upper 14 bits (two's complement, masked with 0x3fff). */
export const MULAW_ENCODING: Uint8Array = encodingTable(MULAW_SHIFT, mulawCode);
/** Code of each value of a sample's upper 12 bits (two's complement, masked with 0xfff). */
export const ALAW_ENCODING: Uint8Array = encodingTable(ALAW_SHIFT, alawCode);

/** The 16-bit sample of each µ-law code. */
export const MULAW_DECODING: Int16Array = Int16Array.from({ length: 256 }, (_, code) =>
  mulawSample(code),
);
/** The 16-bit sample of each A-law code. */
export const ALAW_DECODING: Int16Array = Int16Array.from({ length: 256 }, (_, code) =>
  alawSample(code),
);

function encodingTable(shift: number, code: (value: number) => number): Uint8Array {
  const entries = 2 ** (16 - shift);
  const table = new Uint8Array(entries);
  for (let value = -entries / 2; value < entries / 2; value += 1) {
    table[value & (entries - 1)] = code(value);
  }
  return table;
}

/** µ-law (G.711 table 2): a biased 13-bit magnitude as sign, segment and 4 bits; all inverted. */
function mulawCode(value: number): number {
  const magnitude = Math.min((value < 0 ? ~value : value) + MULAW_BIAS, MULAW_CLIP);
  const segment = 26 - Math.clz32(magnitude);
  const mantissa = (magnitude >> (segment + 1)) & 0xf;
  const sign = value < 0 ? 0x80 : 0;
  return ~(sign | (segment << 4) | mantissa) & 0xff;
}

/** A-law (G.711 table 1): an 11-bit magnitude as sign, segment and 4 bits; even bits inverted. */
function alawCode(value: number): number {
  const magnitude = value < 0 ? ~value : value;
  const segment = Math.max(0, 28 - Math.clz32(magnitude));
  const mantissa = (magnitude >> Math.max(0, segment - 1)) & 0xf;
  const sign = value < 0 ? 0 : 0x80;
  return (sign | (segment << 4) | mantissa) ^ 0x55;
}

function mulawSample(code: number): number {
  const bits = ~code & 0xff;
  const segment = (bits >> 4) & 7;
  const magnitude = ((((bits & 0xf) << 1) + MULAW_BIAS) << segment) - MULAW_BIAS;
  const sample = magnitude << MULAW_SHIFT;
  return bits & 0x80 ? -sample : sample;
}

function alawSample(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits >> 4) & 7;
  const step = ((bits & 0xf) << 4) + 8;
  const sample = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return bits & 0x80 ? sample : -sample;
}
