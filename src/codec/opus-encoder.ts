import { assert } from "../environment/index.ts";
import type { AudioEncoder, EncoderOptions } from "./codec.ts";
import { parseOpusFormat } from "./opus-format.ts";
import { OPUS_SAMPLE_RATE_HZ, type OpusLibrary, opusLibrary } from "./opus-library.ts";
import { checkOpusOptions } from "./opus-options.ts";

/** Requests and values of opus_defines.h. */
const SET_BITRATE = 4002;
const SET_MAX_BANDWIDTH = 4004;
const SET_VBR = 4006;
const SET_COMPLEXITY = 4010;
const SET_INBAND_FEC = 4012;
const SET_PACKET_LOSS_PERCENT = 4014;
const SET_DTX = 4016;
const SET_SIGNAL = 4024;
const SIGNAL_VOICE = 3001;

/** The bandwidth for a rate that the peer plays at most: narrowband 1101 to fullband 1105. */
const BANDWIDTHS = [
  { maxRateHz: 8000, bandwidth: 1101 },
  { maxRateHz: 12_000, bandwidth: 1102 },
  { maxRateHz: 16_000, bandwidth: 1103 },
  { maxRateHz: 24_000, bandwidth: 1104 },
] as const;
const FULLBAND = 1105;

const DEFAULT_BITRATE_BPS = 32_000;
const DEFAULT_COMPLEXITY = 5;
const DEFAULT_LOSS_PERCENT = 10;
/** The largest payload that leaves room for the headers of IP, UDP, RTP and SRTP in 1500 bytes. */
const PAYLOAD_BYTES_MAX = 1400;
/** A packet of no more bytes need not be sent (opus_encode of opus.h). */
const DTX_BYTES_MAX = 2;

/** Opus, mono from 24 kHz. Its memory is in WebAssembly: it must be released. */
export class OpusEncoder implements AudioEncoder {
  readonly lookaheadMs: number;
  readonly #library: OpusLibrary = opusLibrary();
  readonly #packetSamples: number;
  readonly #isDtx: boolean;
  #encoder: number;

  constructor(options: EncoderOptions) {
    const { ptimeMs, remoteFmtp, opus = {} } = options;
    checkOpusOptions(opus);
    const remote = parseOpusFormat(remoteFmtp);
    this.#packetSamples = (ptimeMs * OPUS_SAMPLE_RATE_HZ) / 1000;
    this.#encoder = this.#library.createEncoder();
    this.lookaheadMs = (this.#library.lookaheadSamples(this.#encoder) * 1000) / OPUS_SAMPLE_RATE_HZ;
    const bound = remote.maxAverageBitrateBps;
    const bitrate = opus.bitrateBps ?? DEFAULT_BITRATE_BPS;
    const isFec = opus.inbandFec ?? remote.usesInbandFec;
    this.#isDtx = opus.dtx ?? remote.prefersDtx;
    this.#set(SET_BITRATE, bound === 0 ? bitrate : Math.min(bound, bitrate));
    this.#set(SET_MAX_BANDWIDTH, bandwidthOf(remote.maxPlaybackRateHz));
    this.#set(SET_VBR, remote.wantsConstantRate ? 0 : 1);
    this.#set(SET_COMPLEXITY, opus.complexity ?? DEFAULT_COMPLEXITY);
    this.#set(SET_INBAND_FEC, isFec ? 1 : 0);
    this.#set(
      SET_PACKET_LOSS_PERCENT,
      isFec ? (opus.expectedLossPercent ?? DEFAULT_LOSS_PERCENT) : 0,
    );
    this.#set(SET_DTX, this.#isDtx ? 1 : 0);
    this.#set(SET_SIGNAL, SIGNAL_VOICE);
  }

  encode(samples: Int16Array, output: Uint8Array): number {
    assert(this.#encoder !== 0, "nobody encodes after release");
    assert(samples.length === this.#packetSamples, "the caller brings one packet's samples");
    const bytesMax = Math.min(output.length, PAYLOAD_BYTES_MAX);
    const bytes = this.#library.encode(this.#encoder, samples, output, bytesMax);
    return this.#isDtx && bytes <= DTX_BYTES_MAX ? 0 : bytes;
  }

  release(): void {
    if (this.#encoder === 0) return;
    this.#library.destroyEncoder(this.#encoder);
    this.#encoder = 0;
  }

  #set(request: number, value: number): void {
    this.#library.configure(this.#encoder, request, value);
  }
}

function bandwidthOf(playbackRateHz: number): number {
  return BANDWIDTHS.find((entry) => playbackRateHz <= entry.maxRateHz)?.bandwidth ?? FULLBAND;
}
