/**
 * Recordings that Sidetone did not make: WAV files of any length and most encodings, read in blocks,
 * and what can be said of them without a timeline. Files come as blocks of bytes; it does no I/O.
 */
export { analyseRecording } from "./analyse-recording.ts";
export type {
  AnalysedSide,
  AnalysisOptions,
  Concern,
  RecordingAnalysis,
  RecordingFile,
  RecordingSource,
  Side,
} from "./recording.ts";
export { BIN_MS } from "./side-scan.ts";
export type {
  DetectedSpeech,
  DetectorPlugIn,
  DetectorSettings,
  SpeechDetector,
} from "./speech-detector.ts";
export { looksLikeWav, type WavHeader, WavReader } from "./wav-reader.ts";
