import { type Random, randomInteger } from "../environment/index.ts";
import type { Interval } from "./interval.ts";

const ROUNDS = 2000;
const CONFIDENCE = 0.95;
const TAIL = (1 - CONFIDENCE) / 2;

/**
 * Percentile-bootstrap intervals of quantiles of sorted values, one per share, seeded by `random`.
 *
 * An interval is `undefined` where there are too few values for one: where all of them lie below
 * (or above) the true quantile with a chance of more than 2.5 %, no resampling of them reaches it.
 */
export function bootstrapQuantiles(
  sorted: readonly number[],
  shares: readonly number[],
  random: Random,
): (Interval | undefined)[] {
  return resampledQuantiles(sorted, shares, (counts) => {
    const n = sorted.length;
    for (let draw = 0; draw < n; draw += 1) {
      const index = randomInteger(random, n);
      counts[index] = (counts[index] as number) + 1;
    }
  });
}

/** With fewer groups their resampling says little. */
const GROUPS_MIN = 6;

/**
 * The same where values come in groups (the turns of a call) that hang together: whole groups are
 * drawn, as single values would pass for more than they are. `undefined` with fewer than six groups.
 */
export function bootstrapGroupedQuantiles(
  groups: readonly (readonly number[])[],
  shares: readonly number[],
  random: Random,
): (Interval | undefined)[] {
  const filled = groups.filter((group) => group.length > 0);
  if (filled.length < GROUPS_MIN) return shares.map(() => undefined);
  const values = filled
    .flatMap((group, owner) => group.map((value) => ({ value, owner })))
    .toSorted((a, b) => a.value - b.value);
  const times = new Uint32Array(filled.length);
  return resampledQuantiles(
    values.map(({ value }) => value),
    shares,
    (counts) => {
      times.fill(0);
      for (let draw = 0; draw < filled.length; draw += 1) {
        const owner = randomInteger(random, filled.length);
        times[owner] = (times[owner] as number) + 1;
      }
      for (const [index, { owner }] of values.entries()) counts[index] = times[owner] as number;
    },
  );
}

/** @param draw fills in how often each value is there in a round; the counts come as zeros. */
function resampledQuantiles(
  sorted: readonly number[],
  shares: readonly number[],
  draw: (counts: Uint32Array) => void,
): (Interval | undefined)[] {
  const n = sorted.length;
  const wanted = shares.map((share) => Math.max(share, 1 - share) ** n <= TAIL);
  if (!wanted.includes(true)) return shares.map(() => undefined);
  const drawn = shares.map(() => new Float64Array(ROUNDS));
  const counts = new Uint32Array(n);
  for (let round = 0; round < ROUNDS; round += 1) {
    counts.fill(0);
    draw(counts);
    for (const [index, share] of shares.entries()) {
      (drawn[index] as Float64Array)[round] = countedQuantile(sorted, counts, share);
    }
  }
  return drawn.map((values, index) => (wanted[index] === true ? intervalOf(values) : undefined));
}

/** The middle 95 % of what a resampling gave. */
export function intervalOf(drawn: Float64Array): Interval {
  const sorted = drawn.toSorted();
  const at = (share: number): number => {
    const position = (sorted.length - 1) * share;
    const below = sorted[Math.floor(position)] as number;
    const above = sorted[Math.ceil(position)] as number;
    return below + (above - below) * (position - Math.floor(position));
  };
  return { low: at(TAIL), high: at(1 - TAIL), confidence: CONFIDENCE };
}

/**
 * A quantile (type 7) of sorted values of which the i-th is there `counts[i]` times: spares the
 * sorting of each resample. NaN where nothing is there.
 */
export function countedQuantile(
  sorted: ArrayLike<number>,
  counts: ArrayLike<number>,
  share: number,
): number {
  let total = 0;
  for (let index = 0; index < counts.length; index += 1) total += counts[index] as number;
  if (total === 0) return Number.NaN;
  const position = (total - 1) * share;
  const lower = Math.floor(position);
  let seen = 0;
  let below: number | undefined;
  for (let index = 0; index < sorted.length; index += 1) {
    seen += counts[index] as number;
    if (below === undefined && seen > lower) below = sorted[index];
    if (below !== undefined && seen > Math.ceil(position)) {
      return below + ((sorted[index] as number) - below) * (position - lower);
    }
  }
  return Number.NaN;
}
