import { quantile } from "./statistics.ts";

/** One measured delay, as far as pieces are concerned. */
export interface DelayPoint {
  readonly atMs: number;
  readonly delayMs: number;
  readonly uncertaintyMs: number;
}

/** A stretch in which the delay held, or changed as evenly as a clock drifts. */
export interface DelayRun {
  readonly points: readonly DelayPoint[];
  readonly medianMs: number;
}

/** How fast the delay changes within runs, as parts per million of time. */
export interface DriftEstimate {
  readonly ppm: number;
  /** 95 %. */
  readonly uncertaintyPpm: number;
}

/** A change by more than this, beyond what a clock drifts, begins a new run. */
const STEP_MS = 0.6;
/** The worst clock that is still one: 600 ppm. */
const DRIFT_MAX = 600e-6;
/** A window less certain than this straddles a change, and belongs to neither side. */
const POINT_UNCERTAINTY_MS_MAX = 1;
/** Below this much time within runs, or this many windows, no slope is told. */
const DRIFT_SPAN_MS_MIN = 10_000;
const DRIFT_POINTS_MIN = 8;

/** Cuts a track where the delay steps. Windows that straddle a step are left out. */
export function delayRuns(points: readonly DelayPoint[]): DelayRun[] {
  const runs: DelayPoint[][] = [];
  for (const point of points) {
    if (point.uncertaintyMs > POINT_UNCERTAINTY_MS_MAX) continue;
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run !== undefined && last !== undefined && continues(last, point)) run.push(point);
    else runs.push([point]);
  }
  return runs.map((each) => ({
    points: each,
    medianMs: medianOf(each.map(({ delayMs }) => delayMs)),
  }));
}

/**
 * The slope common to all runs, by least squares, each run having a level of its own. `undefined`
 * where there is too little to tell.
 */
export function driftOf(runs: readonly DelayRun[]): DriftEstimate | undefined {
  const long = runs.filter(({ points }) => points.length >= 3);
  const spanMs = long.reduce((sum, { points }) => sum + spanOf(points), 0);
  const count = long.reduce((sum, { points }) => sum + points.length, 0);
  if (spanMs < DRIFT_SPAN_MS_MIN || count < DRIFT_POINTS_MIN) return undefined;
  let [product, square] = [0, 0];
  for (const [x, y] of centred(long)) {
    product += x * y;
    square += x * x;
  }
  const slope = product / square;
  let residual = 0;
  for (const [x, y] of centred(long)) residual += (y - slope * x) ** 2;
  const deviation = Math.sqrt(residual / (count - long.length - 1) / square);
  return { ppm: slope * 1e6, uncertaintyPpm: 2 * deviation * 1e6 };
}

/** The middle value. */
export function medianOf(values: readonly number[]): number {
  return quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}

function continues(last: DelayPoint, next: DelayPoint): boolean {
  const gapMs = next.atMs - last.atMs;
  return Math.abs(next.delayMs - last.delayMs) <= STEP_MS + DRIFT_MAX * gapMs;
}

function spanOf(points: readonly DelayPoint[]): number {
  return (points.at(-1)?.atMs ?? 0) - (points[0]?.atMs ?? 0);
}

/**
 * Time and delay of every point against the means of its run.
 *
 * @yields one pair for each point.
 */
function* centred(runs: readonly DelayRun[]): Generator<readonly [number, number]> {
  for (const { points } of runs) {
    const count = points.length;
    const meanAt = points.reduce((sum, { atMs }) => sum + atMs, 0) / count;
    const meanDelay = points.reduce((sum, { delayMs }) => sum + delayMs, 0) / count;
    for (const { atMs, delayMs } of points) yield [atMs - meanAt, delayMs - meanDelay];
  }
}
