import type { AudioDecoder, AudioEncoder, Codec, CodecId, EncoderOptions } from "./codec.ts";
import { WaveformDecoder, type WaveformExpansion } from "./waveform-decoder.ts";

/** The largest payload that leaves room for the headers of IP, UDP, RTP and SRTP in 1500 bytes. */
const PAYLOAD_BYTES_MAX = 1400;
const PTIME_MIN_MS = 5;
const PTIME_MAX_MS = 120;

/** What distinguishes one waveform codec from another. */
export interface WaveformDescription {
  readonly id: CodecId;
  readonly name: string;
  readonly staticPayloadType?: number;
  readonly preferredPayloadType: number;
  readonly clockRateHz: number;
  readonly sampleRateHz: number;
  readonly bytesPerMs: number;
  createEncoder(): AudioEncoder;
  createExpansion(): WaveformExpansion;
}

/** A codec of constant rate whose packets may have any duration: G.711, G.722, L16. */
export class WaveformCodec implements Codec {
  readonly id: CodecId;
  readonly name: string;
  readonly staticPayloadType?: number;
  readonly preferredPayloadType: number;
  readonly clockRateHz: number;
  readonly channels = 1;
  readonly sampleRateHz: number;
  readonly #description: WaveformDescription;

  constructor(description: WaveformDescription) {
    this.id = description.id;
    this.name = description.name;
    this.preferredPayloadType = description.preferredPayloadType;
    this.clockRateHz = description.clockRateHz;
    this.sampleRateHz = description.sampleRateHz;
    if (description.staticPayloadType !== undefined) {
      this.staticPayloadType = description.staticPayloadType;
    }
    this.#description = description;
  }

  /** Whole milliseconds from 5 to 120 whose payload fits into one packet. */
  supportsPtime(ptimeMs: number): boolean {
    return (
      Number.isInteger(ptimeMs) && ptimeMs >= PTIME_MIN_MS && ptimeMs <= this.#longestPtimeMs()
    );
  }

  sendablePtimeMs(wantedMs: number): number {
    return Math.round(Math.min(Math.max(wantedMs, PTIME_MIN_MS), this.#longestPtimeMs()));
  }

  createEncoder(_options: EncoderOptions): AudioEncoder {
    return this.#description.createEncoder();
  }

  createDecoder(): AudioDecoder {
    const { clockRateHz, bytesPerMs } = this.#description;
    return new WaveformDecoder({
      sampleRateHz: this.sampleRateHz,
      bytesPerTick: (bytesPerMs * 1000) / clockRateHz,
      expansion: this.#description.createExpansion(),
    });
  }

  /** Tens of milliseconds where a payload cannot be as long as we would. */
  #longestPtimeMs(): number {
    const fittingMs = Math.floor(PAYLOAD_BYTES_MAX / this.#description.bytesPerMs / 10) * 10;
    return Math.min(PTIME_MAX_MS, fittingMs);
  }
}
