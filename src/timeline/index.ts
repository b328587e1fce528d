/**
 * The facts of one call, each once, with its instant; and the call folder's vocabulary.
 * It knows nothing of how a fact came about, and computes no figure.
 */
export {
  CALL_FILES,
  CALL_FOLDER_VERSION,
  type CallDescription,
} from "./call-folder.ts";
export type { Party } from "./fact-base.ts";
export type {
  AiCallerSpeechFact,
  AiInputClockFact,
  AiResponseFact,
  AiSessionFact,
  AiTranscriptFact,
  CallPhaseFact,
  DigitFact,
  DigitMethod,
  Fact,
  FactDraft,
  FactKind,
  FactOf,
  FactSink,
  FaultFact,
  HeardSpeechFact,
  HttpRequestFact,
  InstrumentFact,
  InterruptionFact,
  JudgementFact,
  MediaChangedFact,
  MediaStartedFact,
  MediaStatisticsFact,
  PlayoutFact,
  RecordingStartedFact,
  RtcpReportFact,
  RtpFlowFact,
  RtpSourceFact,
  SipFaultFact,
  SipMessageFact,
  TesterFact,
  ToolCallFact,
  TransferFact,
  UtteranceFact,
} from "./facts.ts";
export { decodeFacts, encodeFacts } from "./jsonl.ts";
export type {
  AiStallFact,
  AiTcpFact,
  NetworkChangedFact,
  NetworkCountsFact,
  PacketFates,
  ReceivedAudioWork,
  TcpWork,
} from "./network-facts.ts";
export { type CapturedDatagram, type PcapOptions, PcapWriter } from "./pcap.ts";
export { Timeline } from "./timeline.ts";
