import { powerDbov, SILENCE_DBOV } from "./level.ts";
import { SortedWindow } from "./sorted-window.ts";

/** Frames of `COARSE_FRAME_MS` that stand out of the background: from `start` up to `end`. */
export interface FrameRun {
  readonly start: number;
  readonly end: number;
}

/** Length of a coarse frame. */
export const COARSE_FRAME_MS = 10;
/**
 * The background counts at least this level: below it lie the idle codes of G.711 (A-law's is ±8,
 * −72 dBov) and nothing that a person would call speech.
 */
export const FLOOR_DBOV_MIN = -72;
/** How far above the background a frame must be. */
export const THRESHOLD_DB = 6;
/** Frames in a row that it takes: a click is shorter. */
const RUN_FRAMES_MIN = 3;
/** What share of the last second is taken to be background, even while somebody talks. */
export const FLOOR_QUANTILE = 0.2;

const WINDOW_FRAMES = 100;
const WINDOW_HOP_FRAMES = 10;
/** How far to look for the background: longer than people talk without a breath. */
const REACH_FRAMES = 400;
/** Noise that comes and goes with the talker counts as background if it is this far below him. */
const GATED_NOISE_DB = 30;

/** The level of each whole frame, in dBov. */
export function frameLevels(samples: Float64Array, frameSamples: number): Float64Array {
  const levels = new Float64Array(Math.floor(samples.length / frameSamples));
  for (let frame = 0; frame < levels.length; frame += 1) {
    let sum = 0;
    for (let index = frame * frameSamples; index < (frame + 1) * frameSamples; index += 1) {
      sum += (samples[index] as number) ** 2;
    }
    levels[frame] = powerDbov(sum / frameSamples);
  }
  return levels;
}

/** Runs of frames that are louder than the background by `THRESHOLD_DB`, in order. */
export function coarseSpeech(levels: Float64Array): FrameRun[] {
  const floors = backgroundLevels(levels);
  const runs: FrameRun[] = [];
  let start: number | undefined;
  for (let frame = 0; frame <= levels.length; frame += 1) {
    const isLoud =
      frame < levels.length && (levels[frame] as number) > (floors[frame] as number) + THRESHOLD_DB;
    if (isLoud) start ??= frame;
    else if (start !== undefined) {
      if (frame - start >= RUN_FRAMES_MIN) runs.push({ start, end: frame });
      start = undefined;
    }
  }
  return runs;
}

/**
 * The background around each frame: the lowest of the 20th percentiles of the seconds around.
 * Looking both ways is what finds speech at the very start of a file, and looking far keeps a long
 * steady sound from becoming its own background.
 */
function backgroundLevels(levels: Float64Array): Float64Array {
  const windows = windowQuantiles(levels);
  const reach = REACH_FRAMES / WINDOW_HOP_FRAMES;
  const floors = new Float64Array(levels.length);
  const sounds = new SortedWindow(levels, SILENCE_DBOV);
  for (let block = 0; block * WINDOW_HOP_FRAMES < levels.length; block += 1) {
    const from = Math.max(0, block - reach - WINDOW_FRAMES / WINDOW_HOP_FRAMES);
    const around = windows.slice(from, Math.min(windows.length, block + reach));
    const lowest = around.reduce((least, level) => Math.min(least, level), 0);
    const start = block * WINDOW_HOP_FRAMES;
    sounds.moveTo(Math.max(0, start - REACH_FRAMES), start + REACH_FRAMES);
    const gated = gatedNoiseLevel(sounds);
    floors.fill(Math.max(lowest, gated, FLOOR_DBOV_MIN), start, start + WINDOW_HOP_FRAMES);
  }
  return floors;
}

/** The 20th percentile of each second, every 100 ms; of all there is, if that is shorter. */
function windowQuantiles(levels: Float64Array): Float64Array {
  const count = Math.max(1, Math.ceil((levels.length - WINDOW_FRAMES) / WINDOW_HOP_FRAMES) + 1);
  return Float64Array.from({ length: count }, (_, window) => {
    const start = Math.max(0, Math.min(window * WINDOW_HOP_FRAMES, levels.length - WINDOW_FRAMES));
    return quantile(levels.slice(start, start + WINDOW_FRAMES).toSorted(), FLOOR_QUANTILE);
  });
}

/**
 * Comfort noise that is sent only while the call is up, or only around words, has digital silence
 * beside it, which would make it seem speech. It is told from speech by lying far below the loudest
 * frames, so this only applies to noise `GATED_NOISE_DB` or more below them.
 */
function gatedNoiseLevel(sounds: SortedWindow): number {
  const low = sounds.quantile(0.1) ?? SILENCE_DBOV;
  const high = sounds.quantile(0.95) ?? SILENCE_DBOV;
  return low < high - GATED_NOISE_DB ? low : SILENCE_DBOV;
}

/** The value at `share` (0–1) of a sorted array; `SILENCE_DBOV` if it is empty. */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? SILENCE_DBOV;
}
