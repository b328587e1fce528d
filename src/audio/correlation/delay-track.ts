import {
  DelayFinder,
  type DelayFinderOptions,
  type LocalDelay,
  WINDOW_MS,
} from "./delay-finder.ts";
import type { PlacedAudio } from "./narrow-reader.ts";

/** How the delay between two recordings went. */
export interface DelayTrack {
  /** In order of time. */
  readonly delays: readonly LocalDelay[];
  /** Windows in which the reference was silent, and such in which no delay was sure. */
  readonly silentWindows: number;
  readonly unsureWindows: number;
}

/** From one window to the next while nothing changes; half of it around a change. */
const STEP_MS = WINDOW_MS;
/** In recordings longer than this, twice as far: an hour still has 1,800 windows. */
const LONG_MS = 600_000;
/**
 * After so many windows in a row without a sure delay, only one in eight is looked at, until one is
 * sure again: what is searched everywhere costs ten times what is looked for near the last delay.
 */
const LOST_WINDOWS = 8;
const LOST_STEP_MS = 8 * WINDOW_MS;
/** Two windows that differ by more have a change between them. */
const STEADY_MS = 0.5;

/**
 * Follows the delay of `observed` after `reference` in windows of 1 s: every second while the delay
 * holds, every half second around a change (twice as far in recordings of more than ten minutes).
 * Memory does not depend on how long the recordings are, apart from the result: one entry for each
 * window with sound in it.
 */
export function trackDelay(
  reference: PlacedAudio,
  observed: PlacedAudio,
  options: DelayFinderOptions = {},
): DelayTrack {
  const finder = new DelayFinder(reference, observed, options);
  const delays: LocalDelay[] = [];
  const counts = { silent: 0, unsure: 0 };
  const measure = (fromMs: number): LocalDelay | undefined => {
    const outcome = finder.at(fromMs);
    if (typeof outcome !== "string") return outcome;
    counts[outcome] += 1;
    return undefined;
  };
  const lengthMs = (reference.samples.length * 1000) / reference.sampleRateHz;
  const usualStepMs = lengthMs > LONG_MS ? 2 * STEP_MS : STEP_MS;
  const endMs = reference.startMs + lengthMs - WINDOW_MS / 2;
  let previous: LocalDelay | undefined;
  let unsureInRow = 0;
  let stepMs = usualStepMs;
  for (let fromMs = reference.startMs; fromMs < endMs; fromMs += stepMs) {
    const unsureBefore = counts.unsure;
    const found = measure(fromMs);
    if (found !== undefined) unsureInRow = 0;
    else unsureInRow += counts.unsure - unsureBefore;
    const isLost = unsureInRow >= LOST_WINDOWS;
    stepMs = isLost ? LOST_STEP_MS : usualStepMs;
    const isSteady = agree(previous, found);
    if (!isSteady && !isLost && fromMs > reference.startMs) {
      const between = measure(fromMs - usualStepMs / 2);
      if (between !== undefined) delays.push(between);
    }
    if (found !== undefined) delays.push(found);
    previous = found;
  }
  return { delays, silentWindows: counts.silent, unsureWindows: counts.unsure };
}

function agree(a: LocalDelay | undefined, b: LocalDelay | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return Math.abs(a.delayMs - b.delayMs) <= STEADY_MS;
}
