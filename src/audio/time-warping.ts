import { CEPSTRA, type PhraseFeatures } from "./phrase-features.ts";

/** Half the width of the corridor around the diagonal, as a share of the phrase. */
const CORRIDOR_SHARE = 0.15;

/** How a phrase fits best into an utterance. */
export interface Alignment {
  /** Mean distance of the phrase's frames from those they were laid on. */
  readonly distance: number;
  /** The frames of the utterance that the phrase was laid on; `endFrame` is exclusive. */
  readonly startFrame: number;
  readonly endFrame: number;
}

/** Where in the utterance the phrase may begin and end. */
export interface WarpingLimits {
  /** It must begin within this many frames of the start; `Infinity`: anywhere. */
  readonly startSlack: number;
  /** It must end within this many frames of the end; `Infinity`: anywhere. */
  readonly endSlack: number;
}

/** Best sums so far, and where each path began, of one frame of the utterance. */
interface Column {
  readonly sums: Float64Array;
  readonly starts: Int32Array;
  /** Distance of each phrase frame from this frame of the utterance. */
  readonly distances: Float64Array;
}

/**
 * Lays a phrase on an utterance by dynamic time warping.
 *
 * Each frame of the phrase counts once, whatever the path, so that distances of short and long
 * matches compare. Locally the utterance may be half or twice as fast (slope 1/2 to 2): steps of
 * (1,1), (2,1) and (1,2) only, after Sakoe and Chiba (1978), with P = 1.
 *
 * @returns `undefined` where no path fits: lengths too unlike.
 */
export function alignPhrase(
  phrase: PhraseFeatures,
  utterance: PhraseFeatures,
  limits: WarpingLimits,
): Alignment | undefined {
  const length = phrase.frameCount;
  if (!couldFit(phrase, utterance, limits)) return undefined;
  let current = newColumn(length);
  let previous = newColumn(length);
  let beforePrevious = newColumn(length);
  let best: Alignment | undefined;
  for (let frame = 0; frame < utterance.frameCount; frame += 1) {
    const range = corridor(frame, phrase, utterance, limits);
    measure(current, { phrase, utterance, frame, ...range });
    const mayStart = frame <= limits.startSlack;
    step(current, previous, beforePrevious, { ...range, frame, mayStart });
    const distance = (current.sums[length - 1] as number) / length;
    const mayEnd = utterance.frameCount - 1 - frame <= limits.endSlack;
    if (mayEnd && distance < (best?.distance ?? Infinity)) {
      const startFrame = current.starts[length - 1] as number;
      best = { distance, startFrame, endFrame: frame + 1 };
    }
    [current, previous, beforePrevious] = [beforePrevious, current, previous];
  }
  return best;
}

/** Whether the lengths allow a path at all; saves the work where they do not. */
function couldFit(
  phrase: PhraseFeatures,
  utterance: PhraseFeatures,
  { startSlack, endSlack }: WarpingLimits,
): boolean {
  const slack = CORRIDOR_SHARE * phrase.frameCount * 2 + startSlack + endSlack;
  const isTooShort = utterance.frameCount < phrase.frameCount - slack;
  const isTooLong = utterance.frameCount > phrase.frameCount + slack;
  return phrase.frameCount > 0 && !isTooShort && !isTooLong;
}

/** The phrase frames worth computing for a frame of the utterance. */
interface Corridor {
  readonly low: number;
  /** Exclusive. */
  readonly high: number;
}

function corridor(
  frame: number,
  phrase: PhraseFeatures,
  utterance: PhraseFeatures,
  limits: WarpingLimits,
): Corridor {
  const length = phrase.frameCount;
  if (limits.startSlack === Infinity) return { low: 0, high: length };
  const centre = (frame * length) / utterance.frameCount;
  const halfWidth = CORRIDOR_SHARE * length + Math.max(limits.startSlack, limits.endSlack);
  return {
    low: Math.max(0, Math.floor(centre - halfWidth)),
    high: Math.min(length, Math.ceil(centre + halfWidth) + 1),
  };
}

function newColumn(length: number): Column {
  return {
    sums: new Float64Array(length).fill(Infinity),
    starts: new Int32Array(length),
    distances: new Float64Array(length).fill(Infinity),
  };
}

interface Place extends Corridor {
  readonly phrase: PhraseFeatures;
  readonly utterance: PhraseFeatures;
  readonly frame: number;
}

/** Fills in the distances of the phrase's frames in the corridor; elsewhere they are infinite. */
function measure(column: Column, place: Place): void {
  const { frame, low, high } = place;
  const phrase = place.phrase.values;
  const utterance = place.utterance.values;
  const size = CEPSTRA;
  const there = frame * size;
  column.distances.fill(Infinity);
  for (let at = low; at < high; at += 1) {
    const here = at * size;
    let sum = 0;
    for (let order = 0; order < size; order += 1) {
      const difference = (phrase[here + order] as number) - (utterance[there + order] as number);
      sum += difference * difference;
    }
    column.distances[at] = Math.sqrt(sum);
  }
}

/** Extends the best paths to one more frame of the utterance. */
function step(
  current: Column,
  previous: Column,
  beforePrevious: Column,
  where: Corridor & { readonly frame: number; readonly mayStart: boolean },
): void {
  const { sums, starts, distances } = current;
  sums.fill(Infinity);
  for (let at = where.low; at < where.high; at += 1) {
    const distance = distances[at] as number;
    if (at === 0) {
      if (where.mayStart) sums[0] = distance;
      starts[0] = where.frame;
      continue;
    }
    const skipping = (distance + (previous.distances[at] as number)) / 2;
    const doubling = distance + (distances[at - 1] as number);
    let sum = (previous.sums[at - 1] as number) + distance;
    let start = previous.starts[at - 1] as number;
    const slower = (beforePrevious.sums[at - 1] as number) + skipping;
    if (slower < sum) {
      sum = slower;
      start = beforePrevious.starts[at - 1] as number;
    }
    const faster = at >= 2 ? (previous.sums[at - 2] as number) + doubling : Infinity;
    if (faster < sum) {
      sum = faster;
      start = previous.starts[at - 2] as number;
    }
    sums[at] = sum;
    starts[at] = start;
  }
}
