import { assert } from "../environment/index.ts";
import type { AudioEncoder, Codec } from "./codec.ts";
import { WaveformCodec } from "./waveform-codec.ts";
import type { WaveformExpansion } from "./waveform-decoder.ts";

/** Has no state: one for all calls. */
const ENCODER: AudioEncoder = {
  lookaheadMs: 0,
  encode(samples: Int16Array, output: Uint8Array): number {
    const bytes = samples.length * 2;
    assert(output.length >= bytes, "the caller made room for two bytes per sample");
    for (let index = 0; index < samples.length; index += 1) {
      const sample = samples[index] as number;
      output[index * 2] = sample >> 8;
      output[index * 2 + 1] = sample;
    }
    return bytes;
  },
  release(): void {},
};

/** An odd byte at the end is no sample. */
const EXPANSION: WaveformExpansion = {
  expand(payload: Uint8Array, output: Int16Array): number {
    const count = Math.min(payload.length >> 1, output.length);
    for (let index = 0; index < count; index += 1) {
      const high = payload[index * 2] as number;
      output[index] = (high << 8) | (payload[index * 2 + 1] as number);
    }
    return count;
  },
};

/** Linear PCM of 16 bits in network byte order (RFC 3551 §4.5.11) at 8 kHz. */
export const L16_8000: Codec = l16("L16/8000", 8000, 98);

/** Linear PCM of 16 bits in network byte order (RFC 3551 §4.5.11) at 16 kHz. */
export const L16_16000: Codec = l16("L16/16000", 16_000, 97);

function l16(id: "L16/8000" | "L16/16000", sampleRateHz: number, payloadType: number): Codec {
  return new WaveformCodec({
    id,
    name: "L16",
    preferredPayloadType: payloadType,
    clockRateHz: sampleRateHz,
    sampleRateHz,
    bytesPerMs: sampleRateHz / 500,
    createEncoder: () => ENCODER,
    createExpansion: () => EXPANSION,
  });
}
