/** Speech codecs: G.711, G.722, Opus and L16, with their packet-loss concealment. */
export type {
  AudioDecoder,
  AudioEncoder,
  Codec,
  CodecId,
  EncoderOptions,
  OpusOptions,
} from "./codec.ts";
export { CODECS, codecOf, loadCodecs } from "./codec-set.ts";
export {
  ComfortNoiseAnalyser,
  type ComfortNoiseAnalyserOptions,
} from "./comfort-noise-analyser.ts";
export {
  ComfortNoiseGenerator,
  type ComfortNoiseGeneratorOptions,
} from "./comfort-noise-generator.ts";
export { COMFORT_NOISE_PAYLOAD_TYPE } from "./comfort-noise-payload.ts";
export { Concealer, type ConcealerOptions } from "./concealer.ts";
export { PCMA, PCMU } from "./g711.ts";
export { ALAW, type G711Law, MULAW } from "./g711-law.ts";
export { G722 } from "./g722.ts";
export { L16_8000, L16_16000 } from "./l16.ts";
export { OPUS } from "./opus.ts";
export { checkOpusOptions } from "./opus-options.ts";
export {
  type Transmission,
  TransmissionSwitch,
  type TransmissionSwitchOptions,
} from "./transmission-switch.ts";
