import { findEcho, type LocalDelay, type PlacedAudio, trackDelay } from "../audio/index.ts";
import { instant } from "../environment/index.ts";
import type { Party } from "../timeline/index.ts";
import type { CallRecord, RecordedAudio } from "./call-record.ts";
import type { DelayMetrics, EchoMetrics } from "./delay-metrics.ts";
import { type DelayRun, delayRuns, driftOf, medianOf } from "./delay-runs.ts";
import { optional } from "./optional.ts";
import { roundInstant, roundMs } from "./time-spans.ts";

/**
 * How much later each end heard what the other sent, by correlation of the two recordings; nothing
 * where there are not two. The codecs' own delay is in it, as it is for the ear.
 */
export function measureDelays({ audio, botAudio }: CallRecord): DelayMetrics[] {
  if (audio === undefined || botAudio === undefined) return [];
  return [
    delayOf("caller", placed(botAudio, "right"), placed(audio, "right")),
    delayOf("bot", placed(audio, "left"), placed(botAudio, "left")),
  ].flatMap((each) => each ?? []);
}

/** Whose voice comes back to it, at the ends that were recorded. */
export function measureEchoes({ audio, botAudio }: CallRecord): EchoMetrics[] {
  return [
    audio && echoOf("caller", placed(audio, "left"), placed(audio, "right")),
    botAudio && echoOf("bot", placed(botAudio, "right"), placed(botAudio, "left")),
  ].flatMap((each) => each ?? []);
}

/** A channel on the clock that figures are taken on: whole microseconds. */
export function placed(audio: RecordedAudio, channel: "left" | "right"): PlacedAudio {
  const { sampleRateHz, startedAt } = audio;
  return { samples: audio[channel], sampleRateHz, startMs: roundInstant(startedAt) };
}

function delayOf(heardBy: Party, sent: PlacedAudio, heard: PlacedAudio): DelayMetrics | undefined {
  const { delays, unsureWindows } = trackDelay(sent, heard);
  const runs = delayRuns(delays);
  const certain = runs.flatMap(({ points }) => points);
  if (certain.length === 0) return undefined;
  const values = certain.map(({ delayMs }) => delayMs);
  const drift = driftOf(runs);
  return {
    heardBy,
    medianMs: roundMs(medianOf(values)),
    minMs: roundMs(Math.min(...values)),
    maxMs: roundMs(Math.max(...values)),
    uncertaintyMs: roundMs(medianOf(certain.map(({ uncertaintyMs }) => uncertaintyMs))),
    runs: runs.map(runMetrics),
    ...optional(
      "drift",
      drift && { ppm: tenth(drift.ppm), uncertaintyPpm: tenth(drift.uncertaintyPpm) },
    ),
    points: delays.map(pointMetrics),
    unsureWindows,
  };
}

function runMetrics({ points, medianMs }: DelayRun): DelayMetrics["runs"][number] {
  return {
    fromAt: roundInstant(instant(points[0]?.atMs ?? 0)),
    toAt: roundInstant(instant(points.at(-1)?.atMs ?? 0)),
    delayMs: roundMs(medianMs),
    windows: points.length,
  };
}

function pointMetrics(delay: LocalDelay): DelayMetrics["points"][number] {
  const { atMs, delayMs, uncertaintyMs, confidence } = delay;
  return {
    at: roundInstant(instant(atMs)),
    delayMs: roundMs(delayMs),
    uncertaintyMs: roundMs(uncertaintyMs),
    confidence: tenth(confidence),
  };
}

/** Whose voice comes back where it was sent, if it is found to. */
export function echoOf(
  party: Party,
  sent: PlacedAudio,
  heard: PlacedAudio,
): EchoMetrics | undefined {
  const echo = findEcho(sent, heard);
  if (echo === undefined) return undefined;
  const { delayMs, uncertaintyMs, lossDb, windows, windowsWithSound } = echo;
  return {
    party,
    delayMs: roundMs(delayMs),
    uncertaintyMs: roundMs(uncertaintyMs),
    lossDb: tenth(lossDb),
    windows,
    windowsWithSound,
  };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
