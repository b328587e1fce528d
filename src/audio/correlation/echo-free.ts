import { meanSquareOf } from "../level.ts";
import type { PlacedAudio } from "./narrow-reader.ts";

/** A stretch of a recording, on its clock. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

const FRAME_MS = 10;
/** Rooms and jitter buffers make an echo louder, longer and less punctual for moments. */
const MARGIN_DB = 8;
const MARGIN_MS = 30;
/** So many frames in a row that no echo explains are something else. */
const OTHER_FRAMES = 3;
/** What is returned with less loss is as likely a bot that repeats what it hears. */
const LOSS_DB_MIN = 15;

/**
 * What is left of a stretch of speech without what is nothing but the echo of the other channel:
 * nowhere louder than the other channel, `delayMs` earlier and `lossDb` weaker, or than silence.
 * Taken off are its ends, and what lies within for `gapMs` and more.
 *
 * @param sent what was said at the place where `heard` was heard.
 * @param echo as `findEcho` found it by correlation.
 */
export function echoFree(
  stretch: Stretch,
  audio: { readonly sent: PlacedAudio; readonly heard: PlacedAudio },
  echo: { readonly delayMs: number; readonly lossDb: number },
  gapMs: number,
): Stretch[] {
  if (echo.lossDb < LOSS_DB_MIN) return [stretch];
  const { sent, heard } = audio;
  const count = Math.max(1, Math.round((stretch.toMs - stretch.fromMs) / FRAME_MS));
  const share = 10 ** ((MARGIN_DB - echo.lossDb) / 10);
  const isOther = Array.from({ length: count }, (_, frame) => {
    const fromMs = stretch.fromMs + frame * FRAME_MS;
    const sentMs = fromMs - echo.delayMs;
    const explained = share * loudest(sent, sentMs - MARGIN_MS, sentMs + FRAME_MS + MARGIN_MS);
    return meanSquare(heard, fromMs, fromMs + FRAME_MS) > Math.max(explained, SILENCE);
  });
  return runsOf(isOther, gapMs / FRAME_MS).map(({ first, end }) => ({
    fromMs: first === 0 ? stretch.fromMs : stretch.fromMs + first * FRAME_MS,
    toMs: end === count ? stretch.toMs : stretch.fromMs + end * FRAME_MS,
  }));
}

/** Below is the idle noise of G.711. */
const SILENCE: number = meanSquareOf(-70);

interface Run {
  readonly first: number;
  /** Exclusive. */
  readonly end: number;
}

/** Rows of at least `OTHER_FRAMES` (or of all, if there are fewer), joined across shorter gaps. */
function runsOf(frames: readonly boolean[], gapFrames: number): Run[] {
  const wanted = Math.min(OTHER_FRAMES, frames.length);
  const runs: Run[] = [];
  let first = 0;
  for (let end = 1; end <= frames.length; end += 1) {
    if (frames[end - 1] !== true) first = end;
    if (end - first < wanted) continue;
    const last = runs.at(-1);
    if (last !== undefined && first - last.end < gapFrames) {
      runs[runs.length - 1] = { first: last.first, end };
    } else runs.push({ first, end });
  }
  return runs;
}

/** The mean square of the loudest frame. */
function loudest(audio: PlacedAudio, fromMs: number, toMs: number): number {
  let most = 0;
  for (let ms = fromMs; ms + FRAME_MS <= toMs; ms += FRAME_MS) {
    most = Math.max(most, meanSquare(audio, ms, ms + FRAME_MS));
  }
  return most;
}

function meanSquare(
  { samples, sampleRateHz, startMs }: PlacedAudio,
  fromMs: number,
  toMs: number,
): number {
  const place = (ms: number): number => Math.round(((ms - startMs) * sampleRateHz) / 1000);
  const frame = samples.subarray(Math.max(0, place(fromMs)), Math.max(0, place(toMs)));
  let sum = 0;
  for (let index = 0; index < frame.length; index += 1) sum += (frame[index] as number) ** 2;
  return sum / Math.max(1, frame.length);
}
