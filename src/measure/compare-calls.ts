import type { Random } from "../environment/index.ts";
import { countedQuantile, intervalOf } from "./bootstrap.ts";
import type { CallMetrics } from "./call-metrics.ts";
import { figuresOf } from "./figures.ts";
import type { Interval } from "./interval.ts";
import { ratesOf } from "./rates.ts";
import {
  arrangements,
  type Pool,
  permuted,
  poolOf,
  redrawn,
  sharedStrata,
  type Unit,
  weightsOf,
} from "./resampling.ts";

/** A call of one side, and what it is to be compared with: calls of the same scenario. */
export interface ComparedCall {
  readonly scenario: string;
  readonly metrics: CallMetrics;
}

/**
 * `rose`, `fell`: by more than noise and more than the measurement's own error · `noise`: the like
 * of it happens by chance · `tooSmall`: real perhaps, but less than the measurement's error ·
 * `tooFew`: so few calls that no difference could be told from chance.
 */
export type ChangeVerdict = "rose" | "fell" | "noise" | "tooSmall" | "tooFew";

/** One figure on both sides, over the scenarios that both have. */
export interface Change {
  readonly id: string;
  readonly title: string;
  readonly unit: "ms" | "share";
  readonly statistic: "p50" | "p95" | "mean";
  /** Values (turns, interruptions, …) on each side. */
  readonly n: { readonly a: number; readonly b: number };
  readonly a: number;
  readonly b: number;
  /**
   * b − a. Of medians and rates: taken within each scenario, then averaged, so that it need not be
   * the difference of the two numbers above. Of p95: over all.
   */
  readonly difference: number;
  /** Bootstrap over calls, 95 %. */
  readonly interval?: Interval;
  /** Permutation test, after Holm over all the changes; missing where there are too few calls. */
  readonly pValue?: number;
  readonly verdict: ChangeVerdict;
  /** Whether more is better, as it is with rates of things that should happen. */
  readonly moreIsBetter: boolean;
}

type Statistic = (pool: Pool, weights: Uint32Array) => number;

interface Candidate extends Pick<Change, "id" | "title" | "unit" | "statistic" | "moreIsBetter"> {
  readonly units: readonly Unit[];
  readonly of: Statistic;
  /** Take the statistic within each scenario: what differs between scenarios is then no noise. */
  readonly isWithin: boolean;
}

type Tested = Omit<Change, "verdict">;

const ROUNDS = 2000;
const SIGNIFICANCE = 0.05;
/** Two-sided: the arrangement seen and its mirror image. */
const ARRANGEMENTS_MIN = 2 / SIGNIFICANCE;
/** A p95 of fewer values is their largest, more or less. */
const P95_VALUES_MIN = 20;
/** What an edge of speech may be off by (docs/measurements.md): less is no finding. */
const RESOLUTION_MS = 3;
const MORE_IS_BETTER: ReadonlySet<string> = new Set(["answered", "yielded", "toolCallEffective"]);

/**
 * What changed from one set of calls to another, and whether it is more than noise.
 *
 * Calls are what is drawn and shuffled, not turns, because turns of one call resemble each other;
 * and they are shuffled only among calls of the same scenario, so that a difference between
 * scenarios is no noise. With many figures some would seem to change by chance: Holm (1979).
 */
export function compareCalls(
  a: readonly ComparedCall[],
  b: readonly ComparedCall[],
  random: Random,
): Change[] {
  const tested = [...figureCandidates(a, b), ...rateCandidates(a, b)].flatMap((candidate) =>
    test(candidate, random),
  );
  return holm(tested).map((change) => ({ ...change, verdict: verdictOf(change) }));
}

function figureCandidates(a: readonly ComparedCall[], b: readonly ComparedCall[]): Candidate[] {
  const valuesOf = ({ metrics }: ComparedCall): readonly (readonly number[])[] =>
    figuresOf([metrics]).map(({ values }) => values.map(({ ms }) => ms));
  const [ofA, ofB] = [a.map(valuesOf), b.map(valuesOf)];
  return figuresOf([]).flatMap(({ id, title }, index) => {
    const units = unitsOf([a, b], [ofA, ofB], index);
    const candidate = { id, title, unit: "ms", units, moreIsBetter: false } as const;
    const median = { ...candidate, statistic: "p50", of: quantileAt(0.5), isWithin: true } as const;
    const most = { ...candidate, statistic: "p95", of: quantileAt(0.95), isWithin: false } as const;
    const count = (side: "a" | "b"): number =>
      units.filter((unit) => unit.side === side).flatMap(({ values }) => values).length;
    return Math.min(count("a"), count("b")) < P95_VALUES_MIN ? [median] : [median, most];
  });
}

function rateCandidates(a: readonly ComparedCall[], b: readonly ComparedCall[]): Candidate[] {
  const eventsOf = ({ metrics }: ComparedCall): readonly (readonly number[])[] =>
    ratesOf([metrics]).map(({ count, total }) =>
      Array.from({ length: total }, (_, index) => (index < count ? 1 : 0)),
    );
  const [ofA, ofB] = [a.map(eventsOf), b.map(eventsOf)];
  return ratesOf([]).map(({ id, title }, index) => ({
    id,
    title,
    unit: "share",
    statistic: "mean",
    moreIsBetter: MORE_IS_BETTER.has(id),
    units: unitsOf([a, b], [ofA, ofB], index),
    of: mean,
    isWithin: true,
  }));
}

/** The values of one figure, by call, of the calls that gave any. */
function unitsOf(
  calls: readonly (readonly ComparedCall[])[],
  values: readonly (readonly (readonly (readonly number[])[])[])[],
  figure: number,
): Unit[] {
  const units = calls.flatMap((own, index) =>
    own.map(({ scenario }, call) => ({
      side: index === 0 ? ("a" as const) : ("b" as const),
      stratum: scenario,
      values: values[index]?.[call]?.[figure] ?? [],
    })),
  );
  const given = units.filter((unit) => unit.values.length > 0);
  const shared = sharedStrata(given);
  return given.filter(({ stratum }) => shared.has(stratum));
}

function test(candidate: Candidate, random: Random): Tested[] {
  const { units, of, isWithin, ...named } = candidate;
  if (units.length === 0) return [];
  const strata = sharedStrata(units);
  const whole = poolOf(units);
  const pools = isWithin
    ? [...strata.values()].map(({ a, b }) => poolOf(units, new Set([...a, ...b])))
    : [whole];
  const [inA, inB] = [weightsOf(units, "a"), weightsOf(units, "b")];
  const differ = ([a, b]: Weights): number => differenceOf(pools, of, [a, b]);
  const difference = differ([inA, inB]);
  const isEnough = arrangements(strata) >= ARRANGEMENTS_MIN;
  // Values that are all alike cannot differ by chance: no test is made, and none corrected for.
  const varies = whole.values[0] !== whole.values.at(-1);
  return [
    {
      ...named,
      n: { a: countOf(whole, inA), b: countOf(whole, inB) },
      a: of(whole, inA),
      b: of(whole, inB),
      difference,
      ...(isEnough
        ? {
            interval: intervalOf(
              Float64Array.from({ length: ROUNDS }, () =>
                differ(redrawn(strata, units.length, random)),
              ),
            ),
            pValue: varies
              ? permutationTest(difference, () => differ(permuted(strata, units.length, random)))
              : 1,
          }
        : {}),
    },
  ];
}

type Weights = readonly [Uint32Array, Uint32Array];

/** b − a within each pool, each counting for as much as it holds; all pools that both sides have. */
function differenceOf(pools: readonly Pool[], of: Statistic, [a, b]: Weights): number {
  let sum = 0;
  let total = 0;
  for (const pool of pools) {
    const [countA, countB] = [countOf(pool, a), countOf(pool, b)];
    if (countA > 0 && countB > 0) {
      sum += (countA + countB) * (of(pool, b) - of(pool, a));
      total += countA + countB;
    }
  }
  return sum / total;
}

/** How often chance alone makes as large a difference, either way; never 0 (Phipson, Smyth 2010). */
function permutationTest(difference: number, byChance: () => number): number {
  // Sums in another order may differ in their last bits.
  const observed = Math.abs(difference) * (1 - 1e-12);
  let asLarge = 1;
  for (let round = 0; round < ROUNDS; round += 1) {
    if (Math.abs(byChance()) >= observed) asLarge += 1;
  }
  return asLarge / (ROUNDS + 1);
}

function holm(tested: readonly Tested[]): Tested[] {
  const order = tested
    .filter(({ pValue = 1 }) => pValue < 1)
    .toSorted((x, y) => (x.pValue ?? 1) - (y.pValue ?? 1));
  const adjusted = new Map<Tested, number>();
  let highest = 0;
  for (const [rank, each] of order.entries()) {
    highest = Math.max(highest, Math.min(1, (each.pValue ?? 1) * (order.length - rank)));
    adjusted.set(each, highest);
  }
  return tested.map((each) => {
    const pValue = adjusted.get(each);
    return pValue === undefined ? each : { ...each, pValue };
  });
}

function verdictOf({ pValue, difference, unit }: Tested): ChangeVerdict {
  if (pValue === undefined) return "tooFew";
  if (pValue > SIGNIFICANCE) return "noise";
  if (unit === "ms" && Math.abs(difference) < RESOLUTION_MS) return "tooSmall";
  return difference > 0 ? "rose" : "fell";
}

function quantileAt(share: number): Statistic {
  return (pool, weights) => countedQuantile(pool.values, countsOf(pool, weights), share);
}

function mean(pool: Pool, weights: Uint32Array): number {
  let sum = 0;
  let total = 0;
  for (let index = 0; index < pool.values.length; index += 1) {
    const weight = weights[pool.unitOf[index] as number] as number;
    sum += weight * (pool.values[index] as number);
    total += weight;
  }
  return sum / total;
}

function countsOf(pool: Pool, weights: Uint32Array): Uint32Array {
  const counts = new Uint32Array(pool.values.length);
  for (let index = 0; index < counts.length; index += 1) {
    counts[index] = weights[pool.unitOf[index] as number] as number;
  }
  return counts;
}

function countOf(pool: Pool, weights: Uint32Array): number {
  let count = 0;
  for (const unit of pool.unitOf) count += weights[unit] as number;
  return count;
}
