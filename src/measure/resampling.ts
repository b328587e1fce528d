import { type Random, randomInteger } from "../environment/index.ts";

/** What one call gave of a figure, on one side of a comparison. */
export interface Unit {
  readonly side: "a" | "b";
  /** Units of one stratum (one scenario) may change sides with each other. */
  readonly stratum: string;
  readonly values: readonly number[];
}

/** All values of both sides in rising order, each with the unit that it belongs to. */
export interface Pool {
  readonly values: Float64Array;
  readonly unitOf: Uint32Array;
}

/** Units of each side by stratum, as indices. */
export type Strata = ReadonlyMap<string, { readonly a: number[]; readonly b: number[] }>;

/** Sorts the values of all units (or of those in `only`) once, for any number of resamplings. */
export function poolOf(units: readonly Unit[], only?: ReadonlySet<number>): Pool {
  const pairs = units
    .flatMap(({ values }, unit) => values.map((value) => ({ value, unit })))
    .filter(({ unit }) => only === undefined || only.has(unit))
    .toSorted((x, y) => x.value - y.value);
  return {
    values: Float64Array.from(pairs, ({ value }) => value),
    unitOf: Uint32Array.from(pairs, ({ unit }) => unit),
  };
}

/** The strata that both sides have. */
export function sharedStrata(units: readonly Unit[]): Strata {
  const strata = new Map<string, { a: number[]; b: number[] }>();
  for (const [index, { side, stratum }] of units.entries()) {
    const both = strata.get(stratum) ?? { a: [], b: [] };
    both[side].push(index);
    strata.set(stratum, both);
  }
  return new Map([...strata].filter(([, { a, b }]) => a.length > 0 && b.length > 0));
}

/** Every unit of `side` once. */
export function weightsOf(units: readonly Unit[], side: "a" | "b"): Uint32Array {
  return Uint32Array.from(units, (unit) => (unit.side === side ? 1 : 0));
}

/**
 * In how many ways units may change sides, as far as that matters: below 40, no arrangement can be
 * rare enough to be more than noise (two sides, 5 %).
 */
export function arrangements(strata: Strata): number {
  let count = 1;
  for (const { a, b } of strata.values()) count *= choose(a.length + b.length, a.length);
  return count;
}

/** Shuffles units between the sides within each stratum; returns the weights of side a and b. */
export function permuted(
  strata: Strata,
  unitCount: number,
  random: Random,
): readonly [Uint32Array, Uint32Array] {
  const weights = [new Uint32Array(unitCount), new Uint32Array(unitCount)] as const;
  for (const { a, b } of strata.values()) {
    const all = [...a, ...b];
    for (let last = all.length - 1; last > 0; last -= 1) {
      const other = randomInteger(random, last + 1);
      [all[last], all[other]] = [all[other] as number, all[last] as number];
    }
    for (const [place, unit] of all.entries()) weights[place < a.length ? 0 : 1][unit] = 1;
  }
  return weights;
}

/**
 * Draws units again, with replacement: within a stratum that has several on both sides; strata with
 * a single unit on a side are drawn whole, both sides together, as pairs.
 */
export function redrawn(
  strata: Strata,
  unitCount: number,
  random: Random,
): readonly [Uint32Array, Uint32Array] {
  const weights = [new Uint32Array(unitCount), new Uint32Array(unitCount)] as const;
  const all = [...strata.values()];
  const pairs = all.filter(isPair);
  for (let draw = 0; draw < pairs.length; draw += 1) {
    const pair = pairs[randomInteger(random, pairs.length)];
    for (const unit of pair?.a ?? []) increase(weights[0], unit);
    for (const unit of pair?.b ?? []) increase(weights[1], unit);
  }
  for (const stratum of all.filter((each) => !isPair(each))) {
    for (const [side, own] of [stratum.a, stratum.b].entries()) {
      for (let draw = 0; draw < own.length; draw += 1) {
        increase(weights[side as 0 | 1], own[randomInteger(random, own.length)] as number);
      }
    }
  }
  return weights;
}

function isPair({ a, b }: { readonly a: number[]; readonly b: number[] }): boolean {
  return a.length < 2 || b.length < 2;
}

function increase(weights: Uint32Array, unit: number): void {
  weights[unit] = (weights[unit] as number) + 1;
}

function choose(n: number, k: number): number {
  let count = 1;
  for (let step = 1; step <= Math.min(k, n - k); step += 1) count *= (n - step + 1) / step;
  return count;
}
