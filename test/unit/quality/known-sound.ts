import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { decodeWav, resample } from "../../../src/audio/index.ts";
import type { Codec, OpusOptions } from "../../../src/codec/index.ts";
import { type Random, seededRandom } from "../../../src/environment/index.ts";

const VOICES = fileURLToPath(new URL("../../../fixtures/voices", import.meta.url));

/** A recorded utterance, "bot/long", at a rate. */
export function voice(name: string, sampleRateHz: number): Int16Array {
  const { channels, sampleRateHz: own } = decodeWav(
    new Uint8Array(readFileSync(`${VOICES}/${name}.wav`)),
  );
  return resample(channels[0] ?? new Int16Array(), own, sampleRateHz);
}

/** Gaussian noise of an RMS level. */
export function noise(samples: number, levelDbov: number, seed: string): Int16Array {
  const random = seededRandom(seed);
  const amplitude = 32_768 * 10 ** (levelDbov / 20);
  return Int16Array.from({ length: samples }, () => toSample(amplitude * gaussian(random)));
}

export function silence(samples: number): Int16Array {
  return new Int16Array(samples);
}

export function joined(...parts: readonly Int16Array[]): Int16Array {
  const output = new Int16Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    output.set(part, at);
    at += part.length;
  }
  return output;
}

/** The sum of two sounds, as long as the first. */
export function mixed(sound: Int16Array, other: Int16Array): Int16Array {
  return sound.map((sample, index) => toSample(sample + (other[index] ?? 0)));
}

export function amplified(sound: Int16Array, gainDb: number): Int16Array {
  const gain = 10 ** (gainDb / 20);
  return sound.map((sample) => toSample(gain * sample));
}

/** A copy with silence from `start` on, for `length` samples. */
export function muted(sound: Int16Array, start: number, length: number): Int16Array {
  return sound.map((sample, index) => (index >= start && index < start + length ? 0 : sample));
}

/** What comes out of a decoder at the other end; as long as what went in. Opus is not aligned. */
export function coded(sound: Int16Array, codec: Codec, opus?: OpusOptions): Int16Array {
  const frame = (codec.sampleRateHz * 20) / 1000;
  const encoder = codec.createEncoder({ ptimeMs: 20, ...(opus === undefined ? {} : { opus }) });
  const decoder = codec.createDecoder();
  const output = new Int16Array(sound.length);
  const payload = new Uint8Array(4000);
  const decoded = new Int16Array(frame);
  for (let at = 0; at + frame <= sound.length; at += frame) {
    const bytes = encoder.encode(sound.subarray(at, at + frame), payload);
    decoder.decode(payload.subarray(0, bytes), decoded);
    output.set(decoded, at);
  }
  encoder.release();
  decoder.release();
  return output;
}

function toSample(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value)));
}

/** Box and Muller. */
function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
