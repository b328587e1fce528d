import { assert } from "../environment/index.ts";
import type { AudioEncoder, Codec } from "./codec.ts";
import { HigherBand, LowerBand } from "./g722-bands.ts";
import { AnalysisFilter, BLOCK_CODES, type Subbands, SynthesisFilter } from "./g722-filters.ts";
import { WaveformCodec } from "./waveform-codec.ts";
import type { WaveformExpansion } from "./waveform-decoder.ts";

/** The delay of both filters together: 22 samples of 16 kHz. */
const FILTERS_DELAY_MS = 22 / 16;

/** The sub-bands of the block in work; shared, for they hold nothing between two calls. */
const BANDS: Subbands = {
  lower: new Int32Array(BLOCK_CODES),
  higher: new Int32Array(BLOCK_CODES),
};

class G722Encoder implements AudioEncoder {
  readonly lookaheadMs: number = FILTERS_DELAY_MS;
  readonly #filter: AnalysisFilter = new AnalysisFilter();
  readonly #lower: LowerBand = new LowerBand();
  readonly #higher: HigherBand = new HigherBand();

  encode(samples: Int16Array, output: Uint8Array): number {
    const codes = samples.length >> 1;
    assert(samples.length === codes * 2, "two samples make a code, so that packets hold even many");
    assert(output.length >= codes, "the caller made room for a byte per two samples");
    for (let from = 0; from < codes; from += BLOCK_CODES) {
      const block = Math.min(BLOCK_CODES, codes - from);
      this.#filter.split(samples, 2 * from, block, BANDS);
      for (let index = 0; index < block; index += 1) {
        const lower = this.#lower.encode(BANDS.lower[index] as number);
        const higher = this.#higher.encode(BANDS.higher[index] as number);
        output[from + index] = (higher << 6) | lower;
      }
    }
    return codes;
  }

  release(): void {}
}

/** The decoder, at 64 kbit/s (mode 1): RTP carries no other (RFC 3551 §4.5.2). */
class G722Expansion implements WaveformExpansion {
  readonly #filter: SynthesisFilter = new SynthesisFilter();
  readonly #lower: LowerBand = new LowerBand();
  readonly #higher: HigherBand = new HigherBand();

  expand(payload: Uint8Array, output: Int16Array): number {
    const codes = Math.min(payload.length, output.length >> 1);
    for (let from = 0; from < codes; from += BLOCK_CODES) {
      const block = Math.min(BLOCK_CODES, codes - from);
      for (let index = 0; index < block; index += 1) {
        const code = payload[from + index] as number;
        BANDS.lower[index] = this.#lower.decode(code & 0x3f);
        BANDS.higher[index] = this.#higher.decode(code >> 6);
      }
      this.#filter.join(BANDS, block, output, 2 * from);
    }
    return 2 * codes;
  }
}

/**
 * ITU-T G.722 at 64 kbit/s, RTP payload type 9, exact to the bit: audio of 16 kHz, though its RTP
 * clock is 8000 by an old mistake (RFC 3551 §4.5.2).
 */
export const G722: Codec = new WaveformCodec({
  id: "G722",
  name: "G722",
  staticPayloadType: 9,
  preferredPayloadType: 9,
  clockRateHz: 8000,
  sampleRateHz: 16_000,
  bytesPerMs: 8,
  createEncoder: () => new G722Encoder(),
  createExpansion: () => new G722Expansion(),
});
