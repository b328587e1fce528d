import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeWav, tone } from "../audio/index.ts";
import { HigherBand, LowerBand } from "./g722-bands.ts";
import { G722 } from "./index.ts";

const FIXTURES = new URL("../../fixtures/", import.meta.url);

interface Vector {
  readonly signal: string;
  readonly samples: number;
  readonly encodedSha256: string;
  readonly decodedSha256: string;
}

const { vectors } = JSON.parse(
  readFileSync(new URL("codec/g722-ffmpeg.json", FIXTURES), "utf8"),
) as { vectors: Vector[] };

/** The taps of both filters, doubled as for 16-bit samples. */
const TAPS = [3, -11, -11, 53, 12, -156, 32, 362, -210, -805, 951, 3876].map((tap) => 2 * tap);
const ALL_TAPS = [...TAPS, ...TAPS.toReversed()];

describe("G.722", () => {
  it.each(vectors)("encodes and decodes $signal to the bit as ffmpeg does", (vector) => {
    const samples = signalOf(vector);
    expect(samples.length).toBe(vector.samples);

    const payload = encoded(samples);

    expect(sha256(payload)).toBe(vector.encodedSha256);
    expect(sha256(bytesOf(decoded(payload)))).toBe(vector.decodedSha256);
  });

  it("limits both bands of a full-scale square wave to 15 bits, as the reference code of G.191", () => {
    // Here ffmpeg and spandsp differ, which do not limit.
    const samples = squareWave(32_767, -32_768);

    expect(encoded(samples)).toEqual(encodedPlainly(samples));
  });

  it("decodes a full-scale sine without wrapping over", () => {
    const samples = tone({
      frequencyHz: 1000,
      durationMs: 1000,
      sampleRateHz: 16_000,
      levelDbov: -3,
    });
    const output = decoded(encoded(samples));

    // 22 samples later (1.375 ms), and never on the other side.
    const error = Math.max(
      ...Array.from(samples.subarray(400, -22), (sample, index) =>
        Math.abs(sample - (output[400 + index + 22] as number)),
      ),
    );
    expect(error).toBeLessThan(4000);
  });

  it("gives the same however the stream is cut into packets", () => {
    const samples = squareWave(9000, -7000).subarray(0, 4000);
    const whole = encoded(samples);
    const wholeOutput = decoded(whole);

    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 }), (lengths) => {
        const encoder = G722.createEncoder({ ptimeMs: 20 });
        const decoder = G722.createDecoder();
        const payload = new Uint8Array(whole.length);
        const output = new Int16Array(samples.length);
        for (let at = 0, piece = 0; at < samples.length; piece += 1) {
          const count = 2 * (lengths[piece % lengths.length] as number);
          const packet = payload.subarray(at / 2, at / 2 + count / 2);
          encoder.encode(samples.subarray(at, at + count), packet);
          decoder.decode(packet, output.subarray(at, at + count));
          at += count;
        }
        expect(sha256(payload)).toBe(sha256(whole));
        expect(sha256(bytesOf(output))).toBe(sha256(bytesOf(wholeOutput)));
      }),
      { numRuns: 30 },
    );
  });

  it("delays by what its encoder says: 1.375 ms", () => {
    const samples = new Int16Array(960);
    samples.set(tone({ frequencyHz: 900, durationMs: 20, sampleRateHz: 16_000, fadeMs: 10 }), 320);

    const delaySamples = delayOf(samples, decoded(encoded(samples)));

    expect(delaySamples).toBe(22);
    expect(G722.createEncoder({ ptimeMs: 20 }).lookaheadMs).toBe(1.375);
  });

  it("has an RTP clock of half its sampling rate", () => {
    expect(G722).toMatchObject({ clockRateHz: 8000, sampleRateHz: 16_000, staticPayloadType: 9 });
    expect(G722.createDecoder().payloadTicks(new Uint8Array(160))).toBe(160);
  });

  it("refuses half a code", () => {
    const encoder = G722.createEncoder({ ptimeMs: 20 });

    expect(() => encoder.encode(new Int16Array(321), new Uint8Array(200))).toThrow("Bug");
    expect(() => encoder.encode(new Int16Array(320), new Uint8Array(159))).toThrow("Bug");
  });
});

function encoded(samples: Int16Array): Uint8Array {
  const output = new Uint8Array(samples.length / 2);
  expect(G722.createEncoder({ ptimeMs: 20 }).encode(samples, output)).toBe(output.length);
  return output;
}

function decoded(payload: Uint8Array): Int16Array {
  const output = new Int16Array(payload.length * 2);
  expect(G722.createDecoder().decode(payload, output)).toBe(output.length);
  return output;
}

/** The encoder with the filter of §5.2.1 written down as it is defined. */
function encodedPlainly(samples: Int16Array): Uint8Array {
  const lower = new LowerBand();
  const higher = new HigherBand();
  return Uint8Array.from({ length: samples.length / 2 }, (_, index) => {
    let first = 0;
    let second = 0;
    for (let tap = 0; tap < 24; tap += 2) {
      second += (ALL_TAPS[tap] as number) * (samples[2 * index + 1 - tap] ?? 0);
      first += (ALL_TAPS[tap + 1] as number) * (samples[2 * index - tap] ?? 0);
    }
    const low = lower.encode(limitedTo15Bits(Math.floor((second + first) / 32_768)));
    return (higher.encode(limitedTo15Bits(Math.floor((second - first) / 32_768))) << 6) | low;
  });
}

function limitedTo15Bits(value: number): number {
  return Math.max(-16_384, Math.min(16_383, value));
}

/** By the names of the fixture; recordings are of the caller. */
function signalOf(vector: Vector): Int16Array {
  switch (vector.signal) {
    case "loud noise":
      return noise(16, vector.samples);
    case "quiet noise":
      return noise(28, vector.samples);
    case "square":
      return squareWave(16_000, -16_000);
    case "impulses":
      return Int16Array.from({ length: 32_000 }, (_, index) => (index % 331 === 0 ? 32_767 : 0));
    default: {
      const file = new URL(`voices/caller/${vector.signal}.wav`, FIXTURES);
      const samples = decodeWav(readFileSync(file)).channels[0] as Int16Array;
      return samples.subarray(0, samples.length & ~1);
    }
  }
}

/** The upper bits of a linear congruential generator (Numerical Recipes). */
function noise(shift: number, length: number): Int16Array {
  let state = 12_345;
  return Int16Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state >> shift;
  });
}

function squareWave(high: number, low: number): Int16Array {
  return Int16Array.from({ length: 32_000 }, (_, index) => (index % 37 < 18 ? high : low));
}

/** Where `output` is most like `input`, in samples. */
function delayOf(input: Int16Array, output: Int16Array): number {
  const likeness = Array.from({ length: 60 }, (_, lag) => {
    let sum = 0;
    for (let index = 0; index + lag < input.length; index += 1) {
      sum += (input[index] as number) * (output[index + lag] as number);
    }
    return sum;
  });
  return likeness.indexOf(Math.max(...likeness));
}

function bytesOf(samples: Int16Array): Uint8Array {
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
