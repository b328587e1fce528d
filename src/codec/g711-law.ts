import { assert } from "../environment/index.ts";
import {
  ALAW_DECODING,
  ALAW_ENCODING,
  ALAW_SHIFT,
  MULAW_DECODING,
  MULAW_ENCODING,
  MULAW_SHIFT,
} from "./g711-tables.ts";

/** A companding law of ITU-T G.711: a byte per sample, by table, without state. */
export class G711Law {
  readonly #shift: number;
  readonly #compression: Uint8Array;
  readonly #expansion: Int16Array;

  constructor(shift: number, compression: Uint8Array, expansion: Int16Array) {
    this.#shift = shift;
    this.#compression = compression;
    this.#expansion = expansion;
  }

  /** Compresses all `samples` into `output`, which must have room; returns the bytes written. */
  compress(samples: Int16Array, output: Uint8Array): number {
    assert(output.length >= samples.length, "the caller made room for a byte per sample");
    const table = this.#compression;
    const shift = this.#shift;
    const mask = table.length - 1;
    for (let index = 0; index < samples.length; index += 1) {
      output[index] = table[((samples[index] as number) >> shift) & mask] as number;
    }
    return samples.length;
  }

  /** Expands `codes` into `output`, as far as it has room; returns the samples written. */
  expand(codes: Uint8Array, output: Int16Array): number {
    const table = this.#expansion;
    const count = Math.min(codes.length, output.length);
    for (let index = 0; index < count; index += 1) {
      output[index] = table[codes[index] as number] as number;
    }
    return count;
  }
}

/** µ-law (G.711 table 2), of North America and Japan. */
export const MULAW: G711Law = new G711Law(MULAW_SHIFT, MULAW_ENCODING, MULAW_DECODING);

/** A-law (G.711 table 1), of the rest of the world. */
export const ALAW: G711Law = new G711Law(ALAW_SHIFT, ALAW_ENCODING, ALAW_DECODING);
