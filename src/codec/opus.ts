import { assert } from "../environment/index.ts";
import type { AudioDecoder, AudioEncoder, Codec, EncoderOptions } from "./codec.ts";
import { OpusDecoder } from "./opus-decoder.ts";
import { OpusEncoder } from "./opus-encoder.ts";
import { parseOpusFormat } from "./opus-format.ts";
import { OPUS_SAMPLE_RATE_HZ } from "./opus-library.ts";

/** What our encoder makes; decoders take any duration from 2.5 to 120 ms. */
const PTIMES_MS = [10, 20, 40, 60] as const;

/**
 * Opus (RFC 6716, RFC 7587) by libopus: `opus/48000/2` in SDP whatever is sent, mono of 24 kHz on
 * the PCM side. Must be loaded (`loadCodecs`) before encoders and decoders can be created.
 */
export const OPUS: Codec = {
  id: "opus",
  name: "opus",
  preferredPayloadType: 96,
  clockRateHz: 48_000,
  channels: 2,
  sampleRateHz: OPUS_SAMPLE_RATE_HZ,
  fmtp: "useinbandfec=1;minptime=10",
  supportsPtime: (ptimeMs: number): boolean => isPtime(ptimeMs),
  sendablePtimeMs(wantedMs: number, remoteFmtp?: string): number {
    const { minPtimeMs } = parseOpusFormat(remoteFmtp);
    const allowed = PTIMES_MS.filter((ptimeMs) => ptimeMs >= minPtimeMs);
    // minptime may be 120 ms (RFC 7587 §6.1): as near as we come.
    if (allowed.length === 0) return Math.max(...PTIMES_MS);
    return allowed.findLast((ptimeMs) => ptimeMs <= wantedMs) ?? (allowed[0] as number);
  },
  createEncoder(options: EncoderOptions): AudioEncoder {
    assert(isPtime(options.ptimeMs), "the caller asked supportsPtime");
    return new OpusEncoder(options);
  },
  createDecoder: (): AudioDecoder => new OpusDecoder(),
};

function isPtime(ptimeMs: number): boolean {
  return PTIMES_MS.some((known) => known === ptimeMs);
}
