/**
 * Pure measurements: the facts and recordings of calls in, figures out. It reads no clock, does no
 * I/O and knows nothing of how a call was made or how a report looks. docs/measurements.md defines
 * every figure.
 */
export {
  type AiPathDirection,
  type AiPathMetrics,
  type AiStallFigures,
  carrierWords,
  measureAiPath,
} from "./ai-path.ts";
export { aiUsageOf, usageWords } from "./ai-usage.ts";
export { FALSE_ANSWER_LIMIT_MS, FALSE_STOP_LIMIT_MS, YIELD_LIMIT_MS } from "./barge-in.ts";
export { PIECE_GAP_MS, SEGMENT_GAP_MS } from "./bot-turns.ts";
export {
  type AiUsageMetrics,
  type AsidePurpose,
  type BackchannelMetrics,
  type BargeInMetrics,
  type BotSegment,
  type BotTurn,
  type BridgeMetrics,
  type CallerTurn,
  type CallMetrics,
  type ConversationMetrics,
  type DeadAir,
  type InstrumentMetrics,
  type JudgementMetrics,
  METRICS_VERSION,
  type MediaMetrics,
  type RecordingSpan,
  type ResponsePart,
  type SetupMetrics,
  type StopPart,
  type TesterMetrics,
  type ToolCallMetrics,
  type TurnMetrics,
  type WireEffect,
} from "./call-metrics.ts";
export type {
  ListeningMetrics,
  ListeningStretch,
  QualityMetrics,
  RatingMetrics,
  SignalFault,
  SignalMetrics,
  TempoMetrics,
} from "./call-quality.ts";
export type { CallRecord, RecordedAudio } from "./call-record.ts";
export {
  type Change,
  type ChangeVerdict,
  type ComparedCall,
  compareCalls,
} from "./compare-calls.ts";
export { DEAD_AIR_MS, DEAD_AIR_WITH_TOOL_MS } from "./conversation.ts";
export type {
  DelayMetrics,
  DelayPointMetrics,
  DelayRunMetrics,
  EchoMetrics,
} from "./delay-metrics.ts";
export { type DialogueLine, dialogueOf, type TextOf, witnessOf } from "./dialogue.ts";
export { type Certainty, DOUBT_WORDS, type Doubt, doubtOfTiming } from "./doubts.ts";
export {
  describeEvidence,
  type FigureEvidence,
  formatMs,
  formatPosition,
  placeOf,
} from "./evidence.ts";
export { type Figure, type FigureId, type FigureValue, figuresOf } from "./figures.ts";
export { Histogram, type HistogramData } from "./histogram.ts";
export {
  errorBoundMs,
  INSTRUMENT_LIMITS,
  type InstrumentLimits,
  instrumentConcerns,
} from "./instrument-health.ts";
export type { Interval } from "./interval.ts";
export type { LatencyPart } from "./latency-parts.ts";
export { withListening } from "./listening.ts";
export { measureCall } from "./measure-call.ts";
export {
  BACKCHANNEL_MS,
  measureRecording,
  type RecordedSpeech,
  TURN_CHANGE_MS,
} from "./measure-recording.ts";
export { signalMetrics } from "./quality-metrics.ts";
export { type Rate, type RateId, ratesOf } from "./rates.ts";
export { type RecordConcern, recordConcern } from "./record-concern.ts";
export type { SpeechSpan } from "./recording.ts";
export type { PlayoutMetrics, StallMetrics } from "./stalls.ts";
export {
  quantile,
  type Statistics,
  shownStatistics,
  summarise,
  summariseGroups,
  wilsonInterval,
} from "./statistics.ts";
export {
  type PassRate,
  passRateOf,
  passRateWords,
} from "./tester-metrics.ts";
export { spanBetween, type TimeSpan } from "./time-spans.ts";
export { STATED_ERROR_MS, type UnsteadySpan } from "./unsteady.ts";
export { withoutEcho } from "./without-echo.ts";
