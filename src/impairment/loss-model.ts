import { type Random, UsageError } from "../environment/index.ts";

/** Which packets of a link vanish. Ratios are 0 to 1. */
export type LossModel =
  /** Each packet by itself. */
  | { readonly kind: "bernoulli"; readonly lossRatio: number }
  /**
   * Two states, as `tc netem loss gemodel` has them: its p, r, 1−h and 1−k. The state changes after
   * each packet, which is lost as the state before says.
   */
  | {
      readonly kind: "gilbert-elliott";
      /** p: from good to bad. */
      readonly toBadRatio: number;
      /** r: from bad to good; 1/r packets is how long bad lasts in the mean. */
      readonly toGoodRatio: number;
      /** 1−h. Default 1: all is lost (Gilbert's model). */
      readonly lossInBadRatio?: number;
      /** 1−k. Default 0. */
      readonly lossInGoodRatio?: number;
    }
  /** These packets, counted from 1 since the link got this model; `[50, 60]` is eleven of them. */
  | { readonly kind: "scripted"; readonly lost: readonly (readonly [number, number])[] };

/** Decides on one packet after the other. */
export type LossDecider = () => boolean;

/**
 * The Gilbert model that loses `lossRatio` of the packets in bursts of `meanBurstPackets`.
 *
 * @throws UsageError ERR_IMPAIRMENT where no such model exists: a burst is at least one packet, and
 *   of a ratio L bursts of B packets leave room for good packets only where L/(1−L) ≤ B.
 */
export function burstyLoss(lossRatio: number, meanBurstPackets: number): LossModel {
  requireRatio("the loss", lossRatio);
  const toGoodRatio = 1 / meanBurstPackets;
  const toBadRatio = (toGoodRatio * lossRatio) / (1 - lossRatio);
  if (!(meanBurstPackets >= 1) || !(toBadRatio <= 1)) {
    const least = Math.max(1, lossRatio / (1 - lossRatio));
    throw new UsageError(
      "ERR_IMPAIRMENT",
      `Bursts of ${meanBurstPackets} packets cannot lose ${lossRatio * 100} % of them. ` +
        (Number.isFinite(least)
          ? `Name bursts of at least ${least.toFixed(1)} packets.`
          : "Where all are lost there are no bursts: name none."),
    );
  }
  return { kind: "gilbert-elliott", toBadRatio, toGoodRatio };
}

/** The share of packets that a model loses in the long run; of a script, 0. */
export function meanLossRatio(model: LossModel): number {
  if (model.kind === "bernoulli") return model.lossRatio;
  if (model.kind === "scripted") return 0;
  const { toBadRatio, toGoodRatio, lossInBadRatio = 1, lossInGoodRatio = 0 } = model;
  if (toBadRatio + toGoodRatio === 0) return lossInGoodRatio;
  const bad = toBadRatio / (toBadRatio + toGoodRatio);
  return bad * lossInBadRatio + (1 - bad) * lossInGoodRatio;
}

/** @throws UsageError ERR_IMPAIRMENT. */
export function checkLoss(model: LossModel): void {
  if (model.kind === "bernoulli") return requireRatio("the loss", model.lossRatio);
  if (model.kind === "gilbert-elliott") {
    requireRatio("p of Gilbert-Elliott (good to bad)", model.toBadRatio);
    requireRatio("r of Gilbert-Elliott (bad to good)", model.toGoodRatio);
    requireRatio("1-h of Gilbert-Elliott (loss in bad)", model.lossInBadRatio ?? 1);
    return requireRatio("1-k of Gilbert-Elliott (loss in good)", model.lossInGoodRatio ?? 0);
  }
  for (const [first, last] of model.lost) {
    if (Number.isInteger(first) && Number.isInteger(last) && first >= 1 && last >= first) continue;
    throw new UsageError(
      "ERR_IMPAIRMENT",
      `Packets ${first} to ${last} are no range. Packets are counted from 1, the first one first.`,
    );
  }
}

/** A decider for a model that `checkLoss` has seen. */
export function lossDecider(model: LossModel, random: Random): LossDecider {
  if (model.kind === "bernoulli") return () => random() < model.lossRatio;
  if (model.kind === "gilbert-elliott") return gilbertElliott(model, random);
  let count = 0;
  return () => {
    count += 1;
    return model.lost.some(([first, last]) => first <= count && count <= last);
  };
}

function gilbertElliott(
  model: Extract<LossModel, { kind: "gilbert-elliott" }>,
  random: Random,
): LossDecider {
  const { toBadRatio, toGoodRatio, lossInBadRatio = 1, lossInGoodRatio = 0 } = model;
  let isBad = false;
  return () => {
    const isLost = random() < (isBad ? lossInBadRatio : lossInGoodRatio);
    if (random() < (isBad ? toGoodRatio : toBadRatio)) isBad = !isBad;
    return isLost;
  };
}

/** @throws UsageError ERR_IMPAIRMENT for what is not 0 to 1; says what was meant. */
export function requireRatio(name: string, ratio: number): void {
  if (ratio >= 0 && ratio <= 1) return;
  throw new UsageError(
    "ERR_IMPAIRMENT",
    `${name[0]?.toUpperCase()}${name.slice(1)} is ${ratio * 100} %. It must be 0 to 100 %.`,
  );
}
