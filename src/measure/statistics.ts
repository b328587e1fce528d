import { type Random, randomInteger } from "../environment/index.ts";

/** The range in which a value lies with the given confidence. */
export interface Interval {
  readonly low: number;
  readonly high: number;
  readonly confidence: number;
}

/** How values are distributed. Percentiles interpolate linearly (Hyndman & Fan, type 7). */
export interface Statistics {
  readonly n: number;
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
  /** Bootstrap interval of the median; only with a source of randomness and from 5 values on. */
  readonly p50Interval?: Interval;
}

/** Below this, a resampled median only repeats the few values there are. */
const BOOTSTRAP_VALUES_MIN = 5;
const BOOTSTRAP_ROUNDS = 2000;
/** Two-sided 95 % of the normal distribution. */
const Z_95 = 1.959_963_985;

/** Statistics of values; `undefined` where there are none. The order of values does not matter. */
export function summarise(values: readonly number[], random?: Random): Statistics | undefined {
  const sorted = values.toSorted((a, b) => a - b);
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
    ...(random === undefined || sorted.length < BOOTSTRAP_VALUES_MIN
      ? {}
      : { p50Interval: bootstrapMedian(sorted, random) }),
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

/** Percentile bootstrap. */
function bootstrapMedian(sorted: readonly number[], random: Random): Interval {
  const medians: number[] = [];
  for (let round = 0; round < BOOTSTRAP_ROUNDS; round += 1) {
    const drawn = sorted.map(() => sorted[randomInteger(random, sorted.length)] as number);
    medians.push(
      quantile(
        drawn.toSorted((a, b) => a - b),
        0.5,
      ),
    );
  }
  medians.sort((a, b) => a - b);
  return { low: quantile(medians, 0.025), high: quantile(medians, 0.975), confidence: 0.95 };
}
