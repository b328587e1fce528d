import { elapsedMs, type Instant } from "../environment/index.ts";
import { CALL_FILES } from "../timeline/index.ts";
import type { CallMetrics } from "./call-metrics.ts";

/** What a verdict on one figure rests on. */
export interface FigureEvidence {
  /** "response latency" */
  readonly figure: string;
  readonly limitMs: number;
  /** Missing: the event never came. */
  readonly observedMs?: number;
  /** How it was observed; default "heard". */
  readonly observedBy?: "heard" | "measured";
  /** Where the figure is doubtful: how far off it may be, and why. */
  readonly doubt?: { readonly uncertaintyMs: number; readonly why: string };
  /** Where in the call it can be heard or seen. */
  readonly at?: Instant;
}

/**
 * One line that says what was allowed, what was heard, and where to listen:
 * "response latency: expected ≤ 1,500 ms, heard 1,830 ms at 00:03.412 in the recording
 * (calls/001-greeting/audio.wav)". It quotes no transcript.
 */
export function describeEvidence(evidence: FigureEvidence, call: CallMetrics): string {
  const { figure, limitMs, observedMs, observedBy = "heard", at } = evidence;
  const observed =
    observedMs === undefined
      ? `nothing was ${observedBy}`
      : `${observedBy} ${formatMs(observedMs)}`;
  return `${figure}: expected ≤ ${formatMs(limitMs)}, ${observed}${placeOf(at, call)}`;
}

/** " at 00:03.412 in the recording (calls/<id>/audio.wav)"; empty without a recording. */
export function placeOf(at: Instant | undefined, call: CallMetrics): string {
  if (at === undefined || call.recording === undefined) return "";
  const file = call.heardAt === "bot" ? CALL_FILES.botAudio : CALL_FILES.audio;
  const position = formatPosition(elapsedMs(call.recording.startedAt, at));
  return ` at ${position} in the recording (calls/${call.callId}/${file})`;
}

/** "1,830 ms": whole milliseconds, thousands set apart. */
export function formatMs(ms: number): string {
  const whole = Math.round(ms);
  const digits = String(Math.abs(whole)).replaceAll(/\B(?=(?:\d{3})+$)/gu, ",");
  return `${whole < 0 ? "−" : ""}${digits} ms`;
}

/** A position in a recording, "00:03.412"; before its start with a minus sign. */
export function formatPosition(ms: number): string {
  const whole = Math.round(Math.abs(ms));
  const minutes = pad(Math.floor(whole / 60_000), 2);
  const seconds = pad(Math.floor(whole / 1000) % 60, 2);
  return `${ms < 0 && whole > 0 ? "−" : ""}${minutes}:${seconds}.${pad(whole % 1000, 3)}`;
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, "0");
}
