import { elapsedMs, type Instant, instant } from "../../environment/index.ts";
import type { CallMetrics, CallRecord, RecordedAudio } from "../../measure/index.ts";
import { encodeBase64 } from "../base64.ts";
import { peaksOf } from "../peaks.ts";
import { type ChartEvent, eventsOf } from "./call-events.ts";

/** A stretch of the chart with a label; ms from the chart's zero. */
export interface ChartSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly label: string;
}

/** A measured figure as a bracket between the two waveforms. */
export interface ChartBracket extends ChartSpan {
  readonly kind: "response" | "greeting" | "stop";
}

/** All that the page's script needs to draw one call. */
export interface ChartData {
  readonly fromMs: number;
  readonly toMs: number;
  readonly binMs: number;
  /** Extremes of the channels, base64 of Int8; see `peaksOf`. Empty without a recording. */
  readonly caller: string;
  readonly bot: string;
  readonly callerSpeech: readonly ChartSpan[];
  readonly botSpeech: readonly ChartSpan[];
  readonly brackets: readonly ChartBracket[];
  readonly events: readonly ChartEvent[];
}

const BINS_MAX = 6000;
const BIN_MS_MIN = 5;
const MARGIN_MS = 150;

/** Where the chart's zero stands: the recording's first sample, else the first fact. */
export function chartZero(record: CallRecord): Instant {
  const recording = record.audio ?? record.botAudio;
  return recording?.startedAt ?? record.facts[0]?.at ?? instant(0);
}

/** What the chart of a call shows. */
export function chartDataOf(record: CallRecord, metrics: CallMetrics): ChartData {
  const zero = chartZero(record);
  const recording = record.audio ?? record.botAudio;
  const events = eventsOf(record.facts, zero);
  const durationMs = metrics.recording?.durationMs ?? 0;
  const binMs = Math.max(BIN_MS_MIN, Math.ceil(durationMs / BINS_MAX));
  const times = events.map(({ atMs }) => atMs);
  return {
    fromMs: Math.min(0, ...times) - MARGIN_MS,
    toMs: Math.max(durationMs, ...times) + MARGIN_MS,
    binMs,
    caller: extremesOf(recording, "left", binMs),
    bot: extremesOf(recording, "right", binMs),
    ...measuredChart(metrics, zero),
    events,
  };
}

/** What was measured, on an axis whose zero is `zero`. */
export function measuredChart(
  metrics: CallMetrics,
  zero: Instant,
): Pick<ChartData, "callerSpeech" | "botSpeech" | "brackets"> {
  return {
    callerSpeech: metrics.callerTurns.map(({ onsetAt, offsetAt, fixture, utteranceId }) =>
      span(zero, onsetAt, offsetAt, lastName(fixture ?? utteranceId)),
    ),
    botSpeech: metrics.botTurns.flatMap(({ segments }) =>
      segments.map(({ startAt, endAt }) => span(zero, startAt, endAt, "")),
    ),
    brackets: bracketsOf(metrics, zero),
  };
}

function extremesOf(
  recording: RecordedAudio | undefined,
  channel: "left" | "right",
  binMs: number,
): string {
  if (recording === undefined) return "";
  const { extremes } = peaksOf(recording[channel], recording.sampleRateHz, binMs);
  return encodeBase64(new Uint8Array(extremes.buffer));
}

function bracketsOf(metrics: CallMetrics, zero: Instant): ChartBracket[] {
  const brackets: ChartBracket[] = [];
  const add = (
    kind: ChartBracket["kind"],
    from: Instant | undefined,
    to: Instant | undefined,
  ): void => {
    if (from === undefined || to === undefined) return;
    brackets.push({ kind, ...span(zero, from, to, `${Math.round(elapsedMs(from, to))} ms`) });
  };
  if (metrics.setup.greetingLatencyMs !== undefined) {
    add("greeting", metrics.setup.answeredAt, metrics.botTurns[0]?.startAt);
  }
  for (const turn of metrics.turns) add("response", turn.callerOffsetAt, turn.botOnsetAt);
  for (const bargeIn of metrics.bargeIns) add("stop", bargeIn.onsetAt, bargeIn.stoppedAt);
  return brackets;
}

function span(zero: Instant, from: Instant, to: Instant, label: string): ChartSpan {
  return { fromMs: elapsedMs(zero, from), toMs: elapsedMs(zero, to), label };
}

/** "what-time" of "caller/what-time.wav": room on the chart is short. */
function lastName(path: string): string {
  return (path.split("/").at(-1) ?? path).replace(/\.wav$/u, "");
}
