import { describe, expect, it } from "vitest";
import { CODECS, loadCodecs } from "../../../src/codec/index.ts";
import { encodedFrames } from "./support/corpus.ts";
import { FUZZ_TIMEOUT_MS, FUZZ_TITLE, fuzz, mustHold } from "./support/fuzz.ts";

/** What one packet may decode to at most: 120 ms at 48 kHz. */
const OUTPUT_SAMPLES = 5760;
const PACKETS_PER_DECODER = 200;

describe(`decoders, fuzzed ${FUZZ_TITLE}`, () => {
  it.each(CODECS)(
    "$id gives audio or nothing for any payload, and conceals",
    async (codec) => {
      await loadCodecs([codec.id]);
      const output = new Int16Array(OUTPUT_SAMPLES);
      let decoder = codec.createDecoder();
      let decoded = 0;
      fuzz({
        name: `decoder ${codec.id}`,
        corpus: encodedFrames(codec),
        share: 0.3,
        validShare: 0.2,
        handle: (input, random, index) => {
          if (index % PACKETS_PER_DECODER === 0) {
            decoder.release();
            decoder = codec.createDecoder();
          }
          const ticks = decoder.payloadTicks(input);
          mustHold(ticks >= 0 && Number.isInteger(ticks), "its duration is a count of ticks");
          if (random() < 0.1) {
            const lost = output.subarray(0, codec.sampleRateHz / 50);
            if (!decoder.recover(input, lost)) decoder.conceal(lost);
          }
          // A small output is what a caller may give; the decoder must keep within it.
          const room = output.subarray(0, random() < 0.2 ? 100 : OUTPUT_SAMPLES);
          const samples = decoder.decode(input, room);
          mustHold(Number.isInteger(samples) && samples >= 0, "it says how many samples it gave");
          mustHold(samples <= room.length, "it gave no more than there is room for");
          decoded += samples;
        },
      });
      decoder.release();

      expect(decoded).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );
});
