import { type Random, randomInteger } from "../../environment/index.ts";
import type { Interval } from "../../measure/index.ts";

/** Events in a minute, over all calls of a cell. */
export interface WeightedRate {
  readonly perMinute: number;
  /** Percentile bootstrap, 95 %, whole calls drawn: events of one call hang together. */
  readonly interval?: Interval;
}

/** What one call adds to a rate. */
export interface RateShare {
  readonly count: number;
  readonly minutes: number;
}

const ROUNDS = 2000;
const CONFIDENCE = 0.95;
/** With fewer calls their resampling says little. */
const CALLS_MIN = 6;

/** Events ÷ minutes; `undefined` where there was no time for any. */
export function rateOf<Call>(
  calls: readonly Call[],
  shareOf: (call: Call) => RateShare,
  random: Random,
): WeightedRate | undefined {
  const shares = calls.map(shareOf);
  const perMinute = ratio(shares);
  if (perMinute === undefined) return undefined;
  if (shares.length < CALLS_MIN) return { perMinute };
  const drawn = Array.from({ length: ROUNDS }, () =>
    ratio(shares.map(() => shares[randomInteger(random, shares.length)] as RateShare)),
  )
    .filter((value) => value !== undefined)
    .toSorted((a, b) => a - b);
  const at = (place: number): number => drawn[Math.round(place * (drawn.length - 1))] as number;
  const tail = (1 - CONFIDENCE) / 2;
  return { perMinute, interval: { low: at(tail), high: at(1 - tail), confidence: CONFIDENCE } };
}

function ratio(shares: readonly RateShare[]): number | undefined {
  const minutes = shares.reduce((sum, each) => sum + each.minutes, 0);
  if (minutes <= 0) return undefined;
  return shares.reduce((sum, each) => sum + each.count, 0) / minutes;
}
