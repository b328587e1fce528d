import type { CallMetrics, SpeechSpan } from "../measure/index.ts";
import type { DetectorPlugIn } from "./speech-detector.ts";
import type { WavReader } from "./wav-reader.ts";

/** Which side of a conversation. */
export type Side = "caller" | "bot";

/** What a recording is made of: one file with two channels, or two with one each. */
export type RecordingSource =
  | { readonly stereo: RecordingFile }
  | { readonly caller: RecordingFile; readonly bot: RecordingFile };

/** A file that has been opened. */
export interface RecordingFile {
  readonly name: string;
  readonly reader: WavReader;
}

/** What to make of it. */
export interface AnalysisOptions {
  /** The left channel (or the first file) is the bot. */
  readonly swap?: boolean;
  /** Only what lies between these, in ms from the start of the file. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** What finds the speech; default: our own detector. */
  readonly detector?: DetectorPlugIn;
  /** How far it has come, in ms of the recording; where known also of how much. */
  readonly onProgress?: (atMs: number, ofMs: number | undefined) => void;
}

/** One side of a recording, as it is told. */
export interface AnalysedSide {
  readonly file: string;
  /** "left", "right"; "only" of a file with one. */
  readonly channel: "left" | "right" | "only";
  readonly encoding: string;
  readonly sampleRateHz: number;
  readonly durationMs: number;
  /** The loudest sample; `metrics.quality` has the rest. */
  readonly peakDbov: number;
  /** Speech, pauses below 300 ms bridged. */
  readonly segments: readonly SpeechSpan[];
  /** For the picture: minimum and maximum of every 10 ms, in turn. */
  readonly extremes: Int16Array;
}

/** A recording, analysed. Instants are ms from the start of the file. */
export interface RecordingAnalysis {
  readonly name: string;
  /** The plug-in that found the speech, where it was not our own detector. */
  readonly detector?: string;
  readonly metrics: CallMetrics;
  readonly sides: Readonly<Record<Side, AnalysedSide>>;
  readonly concerns: readonly Concern[];
}

/** Something about a recording that whoever reads its figures has to know. */
export interface Concern {
  readonly code:
    | "ERR_RECORDING_TRUNCATED"
    | "ERR_RECORDING_SIDE_SILENT"
    | "ERR_RECORDING_SWAPPED"
    | "ERR_RECORDING_LENGTHS";
  readonly message: string;
  /** The figures may be wrong, and not only incomplete. */
  readonly isDoubtful: boolean;
}
