import { DelayFinder, type LocalDelay, WINDOW_MS } from "./delay-finder.ts";
import type { PlacedAudio } from "./narrow-reader.ts";

/** What comes back of what was sent. */
export interface FoundEcho {
  /** Sent → back, median. */
  readonly delayMs: number;
  /** Half of the range of nine delays in ten, or what one is sure to, whichever is more. */
  readonly uncertaintyMs: number;
  /** How much quieter it comes back: the loss of the echo's path. */
  readonly lossDb: number;
  /** How many windows of 1 s it was found in, of how many in which something was sent. */
  readonly windows: number;
  readonly windowsWithSound: number;
}

/** Round trips beyond are not looked for. */
const DELAY_MS_MAX = 2000;
/** An echo is told from chance by coming back the same in this many windows. */
const WINDOWS_MIN = 2;
/** Delays of one echo: a jitter buffer that adapts moves them. */
const SAME_ECHO_MS = 20;
/** So many windows are enough, however long the recording is; they are spread over it. */
const WINDOWS_MAX = 150;

/**
 * Finds what was sent in what was heard at the same place, quieter and later. `undefined`: no echo
 * that stands out of what else was heard.
 */
export function findEcho(sent: PlacedAudio, heard: PlacedAudio): FoundEcho | undefined {
  const options = { leastMs: 0, mostMs: DELAY_MS_MAX, leastSimilarity: 0 };
  const finder = new DelayFinder(sent, heard, options);
  const durationMs = (sent.samples.length * 1000) / sent.sampleRateHz;
  const stepMs = WINDOW_MS * Math.max(1, Math.ceil(durationMs / WINDOW_MS / WINDOWS_MAX));
  const found: LocalDelay[] = [];
  let windowsWithSound = 0;
  const search = (firstMs: number): void => {
    for (let passedMs = firstMs; passedMs + WINDOW_MS / 2 < durationMs; passedMs += stepMs) {
      const outcome = finder.at(sent.startMs + passedMs);
      if (outcome !== "silent") windowsWithSound += 1;
      if (typeof outcome !== "string" && outcome.delayMs >= 0) found.push(outcome);
    }
  };
  search(0);
  // One window alone is chance, or a short call: it is looked at in between.
  if (found.length > 0 && largestGroup(found).length < WINDOWS_MIN) search(stepMs / 2);
  const same = largestGroup(found);
  if (same.length < WINDOWS_MIN) return undefined;
  const delays = same.map(({ delayMs }) => delayMs).toSorted((a, b) => a - b);
  const losses = same.map(({ gainDb }) => -gainDb).toSorted((a, b) => a - b);
  const uncertainties = same.map(({ uncertaintyMs }) => uncertaintyMs).toSorted((a, b) => a - b);
  return {
    delayMs: middleOf(delays),
    uncertaintyMs: Math.max(middleOf(uncertainties), halfRange(delays)),
    lossDb: middleOf(losses),
    windows: same.length,
    windowsWithSound,
  };
}

/** Most delays that lie within `SAME_ECHO_MS`. */
function largestGroup(found: readonly LocalDelay[]): readonly LocalDelay[] {
  const sorted = found.toSorted((a, b) => a.delayMs - b.delayMs);
  let best: readonly LocalDelay[] = [];
  let first = 0;
  for (let last = 0; last < sorted.length; last += 1) {
    const most = (sorted[last] as LocalDelay).delayMs;
    while (most - (sorted[first] as LocalDelay).delayMs > SAME_ECHO_MS) first += 1;
    if (last + 1 - first > best.length) best = sorted.slice(first, last + 1);
  }
  return best;
}

/** Half of the range of the middle nine tenths. */
function halfRange(sorted: readonly number[]): number {
  const cut = Math.floor(sorted.length / 20);
  return ((sorted[sorted.length - 1 - cut] as number) - (sorted[cut] as number)) / 2;
}

function middleOf(sorted: readonly number[]): number {
  const half = sorted.length >> 1;
  const upper = sorted[half] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[half - 1] as number)) / 2;
}
