import { type Random, UsageError } from "../environment/index.ts";
import { requireRatio } from "./loss-model.ts";

/** How long packets take. */
export interface DelayModel {
  /** In the mean. */
  readonly delayMs: number;
  /**
   * As `tc netem` has it: the standard deviation of a normal or Pareto distribution, half the width
   * of a uniform one. Default 0.
   */
  readonly jitterMs?: number;
  /** Default `normal`. Pareto: shape 3, few packets much later than the others. */
  readonly distribution?: "uniform" | "normal" | "pareto";
  /**
   * How much a packet's delay is like the one's before, 0 to 1 (of a Gaussian process beneath).
   * Unlike netem's, it leaves the distribution as it is. Default 0.
   */
  readonly correlation?: number;
}

/** Delays of one packet after the other, in ms; never negative. */
export type DelaySource = () => number;

const PARETO_SHAPE = 3;
/** The tail ends here (of a least value of 1), as that of `tc netem`'s table ends somewhere, too. */
const PARETO_MOST = 10;
/** Of a Pareto distribution of shape 3 in which all that is greater than c is c: 1.5 − 0.5/c². */
const PARETO_MEAN = 1.5 - 0.5 / PARETO_MOST ** 2;
/** From its second moment, 3 − 2/c. */
const PARETO_DEVIATION = Math.sqrt(3 - 2 / PARETO_MOST - PARETO_MEAN ** 2);

/** @throws UsageError ERR_IMPAIRMENT. */
export function checkDelay(model: DelayModel): void {
  for (const [name, value] of [
    ["delay", model.delayMs],
    ["jitter", model.jitterMs ?? 0],
  ] as const) {
    if (Number.isFinite(value) && value >= 0) continue;
    throw new UsageError("ERR_IMPAIRMENT", `The ${name} is ${value} ms. It must be 0 ms or more.`);
  }
  requireRatio("the correlation of delays", model.correlation ?? 0);
}

/** A source for a model that `checkDelay` has seen. */
export function delaySource(model: DelayModel, random: Random): DelaySource {
  const { delayMs, jitterMs = 0, distribution = "normal", correlation = 0 } = model;
  if (jitterMs === 0) return () => delayMs;
  const fresh = Math.sqrt(1 - correlation ** 2);
  let last = normal(random);
  return () => {
    last = correlation * last + fresh * normal(random);
    return Math.max(0, delayMs + jitterMs * shaped(last, distribution));
  };
}

/** From a normal deviate to one of the distribution, by the same quantile. */
function shaped(deviate: number, distribution: "uniform" | "normal" | "pareto"): number {
  if (distribution === "normal") return deviate;
  const quantile = normalQuantileOf(deviate);
  if (distribution === "uniform") return 2 * quantile - 1;
  const value = Math.min(PARETO_MOST, (1 - quantile) ** (-1 / PARETO_SHAPE));
  return (value - PARETO_MEAN) / PARETO_DEVIATION;
}

/** Box and Muller's way to a normal deviate. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Φ(x), by Abramowitz and Stegun 7.1.26: within 1e-7. */
function normalQuantileOf(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.327_591_1 * z);
  const series =
    ((((1.061_405_429 * t - 1.453_152_027) * t + 1.421_413_741) * t - 0.284_496_736) * t +
      0.254_829_592) *
    t;
  const upper = (series * Math.exp(-z * z)) / 2;
  return x > 0 ? 1 - upper : upper;
}
