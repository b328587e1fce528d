import { type PreparedPatch, preparePatch, similarityByBand, similarityOf } from "./nsim.ts";
import type { Spectrogram } from "./spectrogram.ts";

/** A patch of the reference and the frames of the degraded sound that are most like it. */
export interface PatchMatch {
  readonly referenceFrame: number;
  /** Missing: nothing there is like it (a lost stretch). */
  readonly degradedFrame?: number;
  /** NSIM by band; all 0 without a match. */
  readonly byBand: Float64Array;
}

/** How the patches of the reference lie. */
export interface ReferencePatches {
  readonly spectrogram: Spectrogram;
  /** Where each begins. */
  readonly starts: readonly number[];
  readonly frames: number;
  /** How far from its own place a patch is looked for, in frames. */
  readonly searchFrames: number;
}

/**
 * Finds the degraded patch to each of the reference: the sum of similarities is as large as can be
 * (dynamic programming), the order is kept, and a patch may have none. `undefined` where the degraded
 * sound is too short for any.
 */
export function matchPatches(
  reference: ReferencePatches,
  degraded: Spectrogram,
): PatchMatch[] | undefined {
  const { frames, searchFrames } = reference;
  const starts = reachableStarts(reference, degraded.frames);
  const patches = starts.map((start) =>
    preparePatch(patchAt(reference.spectrogram, start, frames)),
  );
  const candidates = new Candidates(degraded, frames);
  const steps = new SimilaritySums(candidates, searchFrames);
  for (const [index, start] of starts.entries()) {
    steps.add(start, patches[index] as PreparedPatch, starts[index - 1]);
  }
  const lastStart = starts.at(-1);
  let at = lastStart === undefined ? undefined : steps.bestEnd(lastStart, degraded.frames - frames);
  if (at === undefined) return undefined;
  const matches: PatchMatch[] = [];
  for (let index = starts.length - 1; index >= 0; index -= 1) {
    const from = steps.cameFrom(index, at);
    const byBand = similarityByBand(patches[index] as PreparedPatch, candidates.at(at));
    const referenceFrame = starts[index] as number;
    matches.unshift(
      from === at
        ? { referenceFrame, byBand: byBand.fill(0) }
        : { referenceFrame, degradedFrame: at, byBand },
    );
    at = from;
  }
  return matches;
}

/** The last patch may begin half a patch behind the end of the degraded sound. */
function reachableStarts({ starts, frames }: ReferencePatches, degradedFrames: number): number[] {
  return starts.filter((start) => start - Math.floor(frames / 2) <= degradedFrames);
}

/** The frames from `start` on; behind the end there is silence. */
function patchAt(
  { bands, frames, levels }: Spectrogram,
  start: number,
  length: number,
): { bands: number; frames: number; levels: Float64Array } {
  const patch = new Float64Array(length * bands);
  patch.set(levels.subarray(start * bands, Math.min(start + length, frames) * bands));
  return { bands, frames: length, levels: patch };
}

/** Patches of the degraded sound, prepared when first asked for. */
class Candidates {
  readonly frames: number;
  readonly #degraded: Spectrogram;
  readonly #length: number;
  readonly #prepared: (PreparedPatch | undefined)[];

  constructor(degraded: Spectrogram, length: number) {
    this.frames = degraded.frames;
    this.#degraded = degraded;
    this.#length = length;
    this.#prepared = Array.from({ length: degraded.frames }, () => undefined);
  }

  at(start: number): PreparedPatch {
    this.#prepared[start] ??= preparePatch(patchAt(this.#degraded, start, this.#length));
    return this.#prepared[start];
  }
}

/** The largest sums of similarities up to each patch, by where its match begins. */
class SimilaritySums {
  readonly #candidates: Candidates;
  readonly #searchFrames: number;
  readonly #sums: Float64Array[] = [];
  readonly #origins: Int32Array[] = [];

  constructor(candidates: Candidates, searchFrames: number) {
    this.#candidates = candidates;
    this.#searchFrames = searchFrames;
  }

  add(start: number, patch: PreparedPatch, previousStart: number | undefined): void {
    const { frames } = this.#candidates;
    const sums = new Float64Array(frames);
    const origins = new Int32Array(frames);
    const before = this.#sums.at(-1);
    const lowest = Math.max(0, (previousStart ?? 0) - this.#searchFrames);
    const best = before && new LatestMaximum(before, lowest);
    const from = Math.max(0, start - this.#searchFrames);
    const to = Math.min(frames - 1, start + this.#searchFrames);
    for (let offset = from; offset <= to; offset += 1) {
      const own = similarityOf(similarityByBand(patch, this.#candidates.at(offset)));
      const { sum, at } = best?.before(offset) ?? { sum: 0, at: -1 };
      const without = before?.[offset] ?? -Infinity;
      const isUnmatched = without > own + sum;
      sums[offset] = isUnmatched ? without : own + sum;
      origins[offset] = isUnmatched ? offset : at;
    }
    this.#sums.push(sums);
    this.#origins.push(origins);
  }

  /** Where the last patch's match begins in the best of all orders, before `end`. */
  bestEnd(start: number, end: number): number | undefined {
    const sums = this.#sums.at(-1) as Float64Array;
    let best = -Number.MAX_VALUE;
    let at: number | undefined;
    const from = Math.max(0, start - this.#searchFrames);
    for (let offset = from; offset <= start + this.#searchFrames && offset < end; offset += 1) {
      const sum = sums[offset] as number;
      if (sum > best) [best, at] = [sum, offset];
    }
    return at;
  }

  /** Where the patch before had its match, if this one's begins at `offset`; the same: it has none. */
  cameFrom(index: number, offset: number): number {
    return (this.#origins[index] as Int32Array)[offset] as number;
  }
}

/** The largest of the values up to a place that moves on; of equal ones the latest. */
class LatestMaximum {
  readonly #values: Float64Array;
  #next: number;
  #sum = -Number.MAX_VALUE;
  #at = -1;

  constructor(values: Float64Array, from: number) {
    this.#values = values;
    this.#next = from;
  }

  before(end: number): { readonly sum: number; readonly at: number } {
    for (; this.#next < end; this.#next += 1) {
      const value = this.#values[this.#next] as number;
      if (value < this.#sum) continue;
      this.#sum = value;
      this.#at = this.#next;
    }
    return { sum: this.#sum, at: this.#at };
  }
}
