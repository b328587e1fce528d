import { assert } from "../environment/index.ts";
import type { Codec } from "./codec.ts";
import {
  ALAW_DECODING,
  ALAW_ENCODING,
  ALAW_SHIFT,
  MULAW_DECODING,
  MULAW_ENCODING,
  MULAW_SHIFT,
} from "./g711-tables.ts";

interface G711Law {
  readonly name: Codec["name"];
  readonly payloadType: number;
  readonly shift: number;
  readonly encoding: Uint8Array;
  readonly decoding: Int16Array;
}

/** One of the two laws of G.711: a byte per sample, by table. */
class G711 implements Codec {
  readonly name: Codec["name"];
  readonly payloadType: number;
  readonly clockRateHz: number = 8000;
  readonly sampleRateHz: number = 8000;
  readonly #shift: number;
  readonly #encoding: Uint8Array;
  readonly #decoding: Int16Array;

  constructor(law: G711Law) {
    this.name = law.name;
    this.payloadType = law.payloadType;
    this.#shift = law.shift;
    this.#encoding = law.encoding;
    this.#decoding = law.decoding;
  }

  encode(samples: Int16Array, output: Uint8Array): number {
    assert(output.length >= samples.length, "the caller made room for a byte per sample");
    const table = this.#encoding;
    const shift = this.#shift;
    const mask = table.length - 1;
    for (let index = 0; index < samples.length; index += 1) {
      output[index] = table[((samples[index] as number) >> shift) & mask] as number;
    }
    return samples.length;
  }

  decode(payload: Uint8Array, output: Int16Array): number {
    assert(output.length >= payload.length, "the caller made room for a sample per byte");
    const table = this.#decoding;
    for (let index = 0; index < payload.length; index += 1) {
      output[index] = table[payload[index] as number] as number;
    }
    return payload.length;
  }
}

/** G.711 µ-law, RTP payload type 0 (RFC 3551 §4.5.14). */
export const PCMU: Codec = new G711({
  name: "PCMU",
  payloadType: 0,
  shift: MULAW_SHIFT,
  encoding: MULAW_ENCODING,
  decoding: MULAW_DECODING,
});

/** G.711 A-law, RTP payload type 8 (RFC 3551 §4.5.14). */
export const PCMA: Codec = new G711({
  name: "PCMA",
  payloadType: 8,
  shift: ALAW_SHIFT,
  encoding: ALAW_ENCODING,
  decoding: ALAW_DECODING,
});
