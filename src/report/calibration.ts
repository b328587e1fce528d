import { seededRandom } from "../environment/index.ts";
import { type Interval, quantile, summarise } from "../measure/index.ts";

/**
 * The version of a stored calibration; raised when a field changes its meaning. 2: the constant of
 * the edges' definition is taken off.
 */
export const CALIBRATION_VERSION: number = 2;

/** What a calibration compares with the truth. */
export type FigureName =
  | "responseLatency"
  | "bargeInStop"
  | "onset"
  | "offset"
  | "recordingClock"
  | "postDialDelay"
  | "answerTime"
  | "bye"
  | "digits"
  | "byeSeen"
  | "toolCall"
  | "refer";

/** One figure of one call against the truth. */
export interface FigureError {
  readonly figure: FigureName;
  /** Measured − truth; missing where nothing was measured although something had happened. */
  readonly errorMs?: number;
  /** The error bar that the call itself states (`errorBoundMs`). */
  readonly statedErrorMs: number;
  /** By `INSTRUMENT_LIMITS`: where it was not, the figure is inconclusive. */
  readonly isHealthy: boolean;
  /** The measurement itself said that it is not certain. */
  readonly isUncertain: boolean;
  /** The packet with the first or last sample was lost. */
  readonly hasLostEdge: boolean;
}

/** How the errors of one figure are distributed. */
export interface ErrorDistribution {
  readonly figure: FigureName;
  /** Compared, calls with a healthy instrument only. */
  readonly n: number;
  /** Of all: the instrument was not healthy, so that they count as inconclusive. */
  readonly inconclusive: number;
  readonly uncertain: number;
  /** Happened, and was not measured. */
  readonly missed: number;
  /** Of what was compared: a frame at an edge was lost. */
  readonly lostEdges: number;
  /** Signed: the bias. */
  readonly meanMs?: number;
  readonly p50Ms?: number;
  /** Of the absolute error. */
  readonly absolute?: {
    readonly p50Ms: number;
    readonly p95Ms: number;
    readonly p99Ms: number;
    readonly maxMs: number;
    /** Bootstrap 95 % of p95. */
    readonly p95Interval?: Interval;
  };
  /**
   * Of all that were not uncertain, taken in steady times or not: how many had the truth within the
   * error bar that they state.
   */
  readonly withinBar: number;
  readonly compared: number;
  readonly goal?: Goal;
  readonly verdict: "met" | "missed" | "inconclusive" | "no goal";
}

/** What a figure is to reach (docs/measurements.md). */
export type Goal = { readonly p99Ms: number } | "exact";

const GOALS: Partial<Record<FigureName, Goal>> = {
  responseLatency: { p99Ms: 4 },
  bargeInStop: { p99Ms: 10 },
  digits: "exact",
  byeSeen: "exact",
  toolCall: "exact",
  refer: "exact",
};

/** More inconclusive calls than this share, and the machine cannot measure the figure. */
const INCONCLUSIVE_SHARE_MAX = 0.5;

/** One network condition. */
export interface CalibratedCondition {
  readonly name: string;
  readonly calls: number;
  /** Calls that did not go by their plan, and tell nothing. */
  readonly discarded: number;
  readonly lossPercent: number;
  /** From a packet's departure until it is heard: of each call, and the most it moved within one. */
  readonly playoutDelayMs?: { readonly min: number; readonly max: number; readonly moved: number };
  readonly figures: readonly ErrorDistribution[];
  readonly machine: MachineHealth;
}

/** The worst of what the instrument said of itself. */
export interface MachineHealth {
  readonly departureJitterMsP99: number;
  readonly departureJitterMsMax: number;
  readonly eventLoopLagMsP99: number;
  readonly eventLoopLagMsMax: number;
  readonly missedDeadlines: number;
  readonly unhealthyCalls: number;
}

/** A calibration of this machine. */
export interface Calibration {
  readonly schema: "sidetone-calibration";
  readonly version: number;
  readonly sidetoneVersion: string;
  readonly node: string;
  readonly platform: string;
  readonly host: string;
  /** ISO 8601, UTC. */
  readonly madeAt: string;
  readonly seed: string;
  /** By definition an edge lies so far outside of a sound that begins or ends at once: taken off. */
  readonly abruptEdgeMs: number;
  readonly conditions: readonly CalibratedCondition[];
}

/** Puts the errors of many calls together, one distribution for each figure. */
export function distributionsOf(errors: readonly FigureError[], seed: string): ErrorDistribution[] {
  const names = [...new Set(errors.map(({ figure }) => figure))];
  return names.map((figure) =>
    distributionOf(
      figure,
      errors.filter((error) => error.figure === figure),
      seed,
    ),
  );
}

function distributionOf(
  figure: FigureName,
  errors: readonly FigureError[],
  seed: string,
): ErrorDistribution {
  const healthy = errors.filter(({ isHealthy }) => isHealthy);
  const certain = healthy.filter(({ isUncertain }) => !isUncertain);
  const values = certain.flatMap(({ errorMs }) => (errorMs === undefined ? [] : [errorMs]));
  const compared = errors.filter(
    ({ errorMs, isUncertain }) => errorMs !== undefined && !isUncertain,
  );
  const missed = certain.length - values.length;
  const inconclusive = errors.length - healthy.length;
  const sizes = summarise(values.map(Math.abs), seededRandom(`${seed}/${figure}`));
  const goal = GOALS[figure];
  return {
    figure,
    n: values.length,
    inconclusive,
    uncertain: healthy.length - certain.length,
    missed,
    lostEdges: compared.filter(({ hasLostEdge }) => hasLostEdge).length,
    ...(sizes === undefined
      ? {}
      : {
          meanMs: values.reduce((sum, value) => sum + value, 0) / values.length,
          p50Ms: quantile(
            values.toSorted((a, b) => a - b),
            0.5,
          ),
          absolute: {
            p50Ms: sizes.p50,
            p95Ms: sizes.p95,
            p99Ms: sizes.p99,
            maxMs: sizes.max,
            ...(sizes.p95Interval === undefined ? {} : { p95Interval: sizes.p95Interval }),
          },
        }),
    withinBar: compared.filter(
      ({ errorMs = 0, statedErrorMs }) => Math.abs(errorMs) <= statedErrorMs,
    ).length,
    compared: compared.length,
    ...(goal === undefined ? {} : { goal }),
    verdict: verdictOf(goal, { n: values.length, missed, inconclusive, p99Ms: sizes?.p99 }),
  };
}

function verdictOf(
  goal: Goal | undefined,
  seen: {
    readonly n: number;
    readonly missed: number;
    readonly inconclusive: number;
    readonly p99Ms: number | undefined;
  },
): ErrorDistribution["verdict"] {
  const { n, missed, inconclusive, p99Ms } = seen;
  if (goal === undefined) return "no goal";
  const total = n + missed + inconclusive;
  if (p99Ms === undefined && missed === 0) return "inconclusive";
  if (inconclusive > total * INCONCLUSIVE_SHARE_MAX) return "inconclusive";
  if (missed > 0) return "missed";
  if (goal === "exact") return "met";
  return (p99Ms ?? 0) <= goal.p99Ms ? "met" : "missed";
}
