import { meanSquareOf, type PlacedAudio } from "../audio/index.ts";

/** Speech that was heard faster or slower than it was spoken. */
export interface TempoChange {
  /** Of the speech as it was sent. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Heard speed over spoken: above 1 is hurried. */
  readonly ratio: number;
  /** By how much later what follows is heard; negative where time was caught up. */
  readonly shiftMs: number;
}

/** A delay that is known to hold about an instant of the sent sound. */
export interface DelayAnchor {
  readonly atMs: number;
  readonly delayMs: number;
}

/** Speech is compared as means of half a millisecond: that is enough to follow it by. */
const RATE_HZ = 2000;
const WINDOW = 200;
const HOP = 100;
/** How far from where it was last (or an anchor says) a window is looked for. */
const SEARCH = 60;
const SPEECH_DBOV = -45;
/** What correlates less is not the same sound. */
const LIKENESS_MIN = 0.7;
/** What correlates so well lies where it was, to half a millisecond. */
const SAME = 0.985;
/** How long a delay is believed to hold. */
const HOLDS_MS = 1500;
/** A change of this much is a step; of this much at once it is a jump, not tempo. */
const STEP_MS = 0.75;
const JUMP_MS = 20;
/** A change of tempo is a row of steps the same way, none longer after the other than this. */
const PAUSE_MS = 350;
const STEPS_MIN = 3;
const SHIFT_MS_MIN = 15;
/** Shorter rows are a sound that was found a few pitch periods off. */
const LENGTH_MS_MIN = 300;

/**
 * Finds where speech was hurried or stretched: a jitter buffer that catches up after a stall, or a
 * sender that does. The delay is followed through the speech in windows of 100 ms; a row of steps the
 * same way, of 15 ms in all at least, is a change of tempo. One jump (a packet left out) is none.
 *
 * @param anchors where the delay is known, in order; without any nothing is found.
 */
export function findTempoChanges(
  sent: PlacedAudio,
  heard: PlacedAudio,
  anchors: readonly DelayAnchor[],
): TempoChange[] {
  return rowsOfSteps(smooth(followDelay(sent, heard, anchors)));
}

/** The delay of each window of speech that was found again. */
function followDelay(
  sent: PlacedAudio,
  heard: PlacedAudio,
  anchors: readonly DelayAnchor[],
): DelayAnchor[] {
  const spoken = coarse(sent);
  const received = coarse(heard);
  const points: DelayAnchor[] = [];
  let next = 0;
  for (let from = 0; from + WINDOW <= spoken.length; from += HOP) {
    const window = spoken.subarray(from, from + WINDOW);
    if (powerOf(window) < meanSquareOf(SPEECH_DBOV) * WINDOW) continue;
    const atMs = sent.startMs + ((from + WINDOW / 2) * 1000) / RATE_HZ;
    while ((anchors[next + 1]?.atMs ?? Infinity) <= atMs) next += 1;
    const known = [points.at(-1), anchors[next], anchors[next + 1]].filter(
      (each) => each !== undefined && Math.abs(each.atMs - atMs) <= HOLDS_MS,
    ) as DelayAnchor[];
    const clockMs = atMs - heard.startMs;
    const places = known.map(({ delayMs }) =>
      Math.round(((clockMs + delayMs) * RATE_HZ) / 1000 - WINDOW / 2),
    );
    const found = mostLike(window, received, places);
    if (found === undefined) continue;
    points.push({ atMs, delayMs: ((found + WINDOW / 2) * 1000) / RATE_HZ - clockMs });
  }
  return points;
}

/** Where around these places the window is found best; `undefined` where it is not like enough. */
function mostLike(
  window: Float32Array,
  received: Float32Array,
  places: readonly number[],
): number | undefined {
  const power = powerOf(window);
  let best = LIKENESS_MIN;
  let at: number | undefined;
  const tried = new Set<number>();
  for (const place of places) {
    // Usually nothing has changed.
    const isInside = place >= 0 && place + WINDOW <= received.length;
    if (isInside && likenessAt(window, power, received, place) >= SAME) return place;
    for (let start = place - SEARCH; start <= place + SEARCH; start += 1) {
      if (tried.has(start) || start < 0 || start + WINDOW > received.length) continue;
      tried.add(start);
      const likeness = likenessAt(window, power, received, start);
      if (likeness > best) [best, at] = [likeness, start];
    }
  }
  return at;
}

function likenessAt(
  window: Float32Array,
  power: number,
  received: Float32Array,
  start: number,
): number {
  let cross = 0;
  let own = 0;
  for (let index = 0; index < WINDOW; index += 1) {
    const value = received[start + index] as number;
    cross += (window[index] as number) * value;
    own += value * value;
  }
  return own === 0 ? 0 : cross / Math.sqrt(power * own);
}

/** Median of three, against single windows that were found a pitch period off. */
function smooth(points: readonly DelayAnchor[]): DelayAnchor[] {
  return points.map((point, index) => {
    const near = [points[index - 1], point, points[index + 1]].map((each) => each?.delayMs);
    const [a, b, c] = near;
    if (a === undefined || b === undefined || c === undefined) return point;
    const delayMs = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    return { atMs: point.atMs, delayMs };
  });
}

/** Steps the same way, one soon after the other. */
interface Row {
  readonly fromMs: number;
  readonly toMs: number;
  readonly steps: number;
  readonly shiftMs: number;
}

function rowsOfSteps(points: readonly DelayAnchor[]): TempoChange[] {
  const rows: Row[] = [];
  let isOpen = false;
  for (const [index, point] of points.entries()) {
    const step = stepTo(point, points[index - 1]);
    const row = rows.at(-1);
    if (step === undefined) isOpen = false;
    if (step === undefined || Math.abs(step.shiftMs) < STEP_MS) continue;
    if (isOpen && row !== undefined && goesOn(row, step)) {
      const shiftMs = row.shiftMs + step.shiftMs;
      rows[rows.length - 1] = { ...row, toMs: step.toMs, steps: row.steps + 1, shiftMs };
    } else rows.push(step);
    isOpen = true;
  }
  return rows.flatMap(changeOf);
}

/** From one window to the next; `undefined` for a jump, or where too long nothing was found. */
function stepTo(point: DelayAnchor, before: DelayAnchor | undefined): Row | undefined {
  if (before === undefined || point.atMs - before.atMs > PAUSE_MS) return undefined;
  const shiftMs = point.delayMs - before.delayMs;
  if (Math.abs(shiftMs) > JUMP_MS) return undefined;
  return { fromMs: before.atMs, toMs: point.atMs, steps: 1, shiftMs };
}

function goesOn(row: Row, step: Row): boolean {
  const isSoon = step.toMs - row.toMs <= PAUSE_MS;
  return isSoon && Math.sign(step.shiftMs) === Math.sign(row.shiftMs);
}

function changeOf({ fromMs, toMs, steps, shiftMs }: Row): TempoChange[] {
  const isTooLittle = steps < STEPS_MIN || Math.abs(shiftMs) < SHIFT_MS_MIN;
  if (isTooLittle || toMs - fromMs < LENGTH_MS_MIN) return [];
  return [{ fromMs, toMs, shiftMs, ratio: (toMs - fromMs) / (toMs - fromMs + shiftMs) }];
}

/** Means of half a millisecond each. */
function coarse({ samples, sampleRateHz }: PlacedAudio): Float32Array {
  const factor = Math.round(sampleRateHz / RATE_HZ);
  const output = new Float32Array(Math.floor(samples.length / factor));
  for (let index = 0; index < output.length; index += 1) {
    let sum = 0;
    for (let offset = 0; offset < factor; offset += 1) {
      sum += samples[index * factor + offset] as number;
    }
    output[index] = sum / factor;
  }
  return output;
}

function powerOf(window: Float32Array): number {
  return window.reduce((sum, sample) => sum + sample * sample, 0);
}
