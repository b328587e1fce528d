import type { AudioEncoder, Codec } from "./codec.ts";
import { ALAW, type G711Law, MULAW } from "./g711-law.ts";
import { WaveformCodec } from "./waveform-codec.ts";

/** Has no state: one for all calls. */
class G711Encoder implements AudioEncoder {
  readonly lookaheadMs = 0;
  readonly #law: G711Law;

  constructor(law: G711Law) {
    this.#law = law;
  }

  encode(samples: Int16Array, output: Uint8Array): number {
    return this.#law.compress(samples, output);
  }

  release(): void {}
}

/** G.711 µ-law, RTP payload type 0 (RFC 3551 §4.5.14). */
export const PCMU: Codec = g711("PCMU", 0, MULAW);

/** G.711 A-law, RTP payload type 8 (RFC 3551 §4.5.14). */
export const PCMA: Codec = g711("PCMA", 8, ALAW);

function g711(id: "PCMU" | "PCMA", payloadType: number, law: G711Law): Codec {
  const encoder = new G711Encoder(law);
  return new WaveformCodec({
    id,
    name: id,
    staticPayloadType: payloadType,
    preferredPayloadType: payloadType,
    clockRateHz: 8000,
    sampleRateHz: 8000,
    bytesPerMs: 8,
    createEncoder: () => encoder,
    createExpansion: () => law,
  });
}
