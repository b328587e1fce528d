/**
 * How good a call sounded: the E-model's estimate from what the network did, and figures of the
 * signal itself. Pure: conditions or samples in, figures out. It knows nothing of calls or reports.
 */
export type { SpeechBandwidth } from "./bandwidth.ts";
export type { RatingScale } from "./codec-impairments.ts";
export {
  codecDelayMs,
  estimateRating,
  type MediaConditions,
  type RatingEstimate,
} from "./estimate-rating.ts";
export { analyseSignal, SignalAnalyser, type SignalQuality } from "./signal-analyser.ts";
export { type DelayAnchor, findTempoChanges, type TempoChange } from "./tempo.ts";
export { VISQOL_SAMPLE_RATE_HZ, type VisqolResult, visqol } from "./visqol/visqol.ts";
