import type { Random } from "../environment/index.ts";
import { bootstrapGroupedQuantiles, bootstrapQuantiles } from "./bootstrap.ts";
import type { Interval } from "./interval.ts";

/** How values are distributed. Percentiles interpolate linearly (Hyndman & Fan, type 7). */
export interface Statistics {
  readonly n: number;
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  /**
   * Bootstrap intervals of the percentiles; only with a source of randomness, and each only from
   * as many values on as it takes: 6 for the median, 72 for p95, 368 for p99.
   */
  readonly p50Interval?: Interval;
  readonly p95Interval?: Interval;
  readonly p99Interval?: Interval;
}

/** Two-sided 95 % of the normal distribution. */
const Z_95 = 1.959_963_985;
/** The percentiles that are given an interval. */
const SHARES = [0.5, 0.95, 0.99] as const;

/** Statistics of values; `undefined` where there are none. The order of values does not matter. */
export function summarise(values: readonly number[], random?: Random): Statistics | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  return statisticsOf(
    sorted,
    random === undefined ? [] : bootstrapQuantiles(sorted, SHARES, random),
  );
}

/**
 * Statistics of values that come in groups which hang together, as turns of a call do: intervals are
 * drawn from whole groups, from six groups on.
 */
export function summariseGroups(
  groups: readonly (readonly number[])[],
  random: Random,
): Statistics | undefined {
  return statisticsOf(
    groups.flat().toSorted((a, b) => a - b),
    bootstrapGroupedQuantiles(groups, SHARES, random),
  );
}

function statisticsOf(
  sorted: readonly number[],
  [p50, p95, p99]: readonly (Interval | undefined)[],
): Statistics | undefined {
  const min = sorted[0];
  const max = sorted.at(-1);
  if (min === undefined || max === undefined) return undefined;
  return {
    n: sorted.length,
    min,
    p50: quantile(sorted, 0.5),
    p95: quantile(sorted, 0.95),
    p99: quantile(sorted, 0.99),
    max,
    ...(p50 === undefined ? {} : { p50Interval: p50 }),
    ...(p95 === undefined ? {} : { p95Interval: p95 }),
    ...(p99 === undefined ? {} : { p99Interval: p99 }),
  };
}

/** Fewer values have none of theirs above the percentile, or one: it would be the maximum again. */
const VALUES_MIN = { p95: 20, p99: 100 } as const;

/** What of the statistics is worth showing: percentiles of which the values tell something. */
export function shownStatistics(statistics: Statistics): Partial<Statistics> {
  const { p95, p99, p95Interval, p99Interval, ...always } = statistics;
  return {
    ...always,
    ...(always.n < VALUES_MIN.p95 ? {} : { p95, ...(p95Interval && { p95Interval }) }),
    ...(always.n < VALUES_MIN.p99 ? {} : { p99, ...(p99Interval && { p99Interval }) }),
  };
}

/** A quantile of sorted values, `share` in [0, 1]; NaN where there are none. */
export function quantile(sorted: readonly number[], share: number): number {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** The Wilson score interval (95 %) of a rate of `count` in `total`. */
export function wilsonInterval(count: number, total: number): Interval | undefined {
  if (total <= 0) return undefined;
  const share = count / total;
  const z2 = Z_95 * Z_95;
  const centre = share + z2 / (2 * total);
  const spread = Z_95 * Math.sqrt((share * (1 - share)) / total + z2 / (4 * total * total));
  const scale = 1 + z2 / total;
  return {
    low: Math.max(0, (centre - spread) / scale),
    high: Math.min(1, (centre + spread) / scale),
    confidence: 0.95,
  };
}
