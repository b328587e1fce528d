import type { CallMetrics } from "./call-metrics.ts";
import type { TimeSpan } from "./time-spans.ts";
import { STATED_ERROR_MS, unsteadyMs } from "./unsteady.ts";

/** What our own side must keep for its figures to count. */
export interface InstrumentLimits {
  /** Departure of packets later than their deadline, 99th percentile. */
  readonly departureJitterMsP99: number;
  readonly eventLoopLagMsP99: number;
  /** Share of packets that left a frame or more too late. */
  readonly missedDeadlineRatio: number;
  /** How far audio sent ÷ time passed may be from 1. */
  readonly sentAudioRatioError: number;
}

/**
 * A quarter of a frame of jitter, one frame of lag: beyond that our own side shows in figures
 * whose error we state as 20 ms.
 */
export const INSTRUMENT_LIMITS: InstrumentLimits = {
  departureJitterMsP99: 5,
  eventLoopLagMsP99: 20,
  missedDeadlineRatio: 0.01,
  sentAudioRatioError: 0.02,
};

/**
 * Why the call's figures should not be trusted, in words; empty where the instrument was healthy.
 * A step that asserts a figure of an unhealthy call is inconclusive.
 */
export function instrumentConcerns(
  call: CallMetrics,
  limits: InstrumentLimits = INSTRUMENT_LIMITS,
): string[] {
  return call.instrument.flatMap((own) => {
    const sent = call.media.find(({ party }) => party === own.party)?.packetsSent ?? 0;
    const missedRatio = sent > 0 ? own.missedDeadlines / sent : 0;
    const ratioError = Math.abs((own.sentAudioRatio ?? 1) - 1);
    const over = (what: string, value: number, limit: number, unit: string): string[] =>
      value <= limit ? [] : [`${own.party}: ${what} ${trim(value)}${unit} (limit ${limit}${unit})`];
    return [
      ...over("departure jitter p99", own.departureJitterMsP99, limits.departureJitterMsP99, " ms"),
      ...over("event-loop lag p99", own.eventLoopLagMsP99, limits.eventLoopLagMsP99, " ms"),
      ...over("missed deadlines", missedRatio * 100, limits.missedDeadlineRatio * 100, " %"),
      ...over("audio sent off by", ratioError * 100, limits.sentAudioRatioError * 100, " %"),
    ];
  });
}

function trim(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/**
 * How far a time of this call may be from the truth, by how our own ends kept time meanwhile: its
 * error bar. `sidetone calibrate` holds it against the truth.
 *
 * @param figure from the event that it counts from to the one that it counts to; what our ends did
 *   long before or after is no matter. Without it, the whole call.
 */
export function errorBoundMs({ unsteady = [] }: CallMetrics, figure?: TimeSpan): number {
  return Math.max(STATED_ERROR_MS, unsteadyMs(unsteady, figure));
}
