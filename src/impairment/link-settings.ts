import { UsageError } from "../environment/index.ts";
import { checkDelay, type DelayModel } from "./delay-model.ts";
import { checkLoss, type LossModel, requireRatio } from "./loss-model.ts";

/** A bottleneck: packets leave it one after the other, and wait in a queue before it. */
export interface RateLimit {
  readonly bitsPerSecond: number;
  /** What does not fit is dropped (tail drop). Default: 200 ms of the rate, at least 10 packets. */
  readonly queueBytesMax?: number;
}

/** What one direction of a network does to packets. Nothing given: nothing done. */
export interface LinkSettings {
  readonly loss?: LossModel;
  readonly delay?: DelayModel;
  /** The share of packets that skip the delay, and so overtake others (as `tc netem reorder`). */
  readonly reorderRatio?: number;
  /** The share of packets that arrive twice; each copy has a delay of its own. */
  readonly duplicateRatio?: number;
  /** The share of packets in which one bit arrives wrong. */
  readonly corruptRatio?: number;
  readonly rate?: RateLimit;
  /** Whether a packet waits for those before it, whatever its own delay (one path, one queue). */
  readonly keepsOrder?: boolean;
}

/** A time in which other settings hold. */
export interface LinkChange {
  /** Since the link's start. */
  readonly atMs: number;
  /** How long. Default: for good. */
  readonly durationMs?: number;
  /** What is not named stays as it is; later changes win. */
  readonly settings: LinkSettings;
}

/** A direction of a network, with what becomes of it in time. */
export interface LinkPlan extends LinkSettings {
  readonly changes?: readonly LinkChange[];
}

/**
 * @throws UsageError ERR_IMPAIRMENT naming the figure that cannot be.
 */
export function checkPlan(plan: LinkPlan): void {
  checkSettings(plan);
  for (const change of plan.changes ?? []) {
    requireTime("A change of the network", change.atMs);
    requireTime("The duration of a change of the network", change.durationMs ?? 0);
    checkSettings(change.settings);
  }
}

function checkSettings(settings: LinkSettings): void {
  if (settings.loss !== undefined) checkLoss(settings.loss);
  if (settings.delay !== undefined) checkDelay(settings.delay);
  requireRatio("the share of reordered packets", settings.reorderRatio ?? 0);
  requireRatio("the share of duplicated packets", settings.duplicateRatio ?? 0);
  requireRatio("the share of corrupted packets", settings.corruptRatio ?? 0);
  if (settings.rate !== undefined) checkRate(settings.rate);
}

function checkRate({ bitsPerSecond, queueBytesMax }: RateLimit): void {
  if (!(bitsPerSecond > 0 && Number.isFinite(bitsPerSecond))) {
    throw new UsageError(
      "ERR_IMPAIRMENT",
      `The rate is ${bitsPerSecond} bit/s. It must be more than 0; for an outage, lose 100 %.`,
    );
  }
  if (queueBytesMax === undefined || queueBytesMax >= 0) return;
  throw new UsageError(
    "ERR_IMPAIRMENT",
    `The queue is ${queueBytesMax} bytes: it must be 0 or more.`,
  );
}

function requireTime(name: string, ms: number): void {
  if (Number.isFinite(ms) && ms >= 0) return;
  throw new UsageError("ERR_IMPAIRMENT", `${name} is at ${ms} ms. It must be 0 ms or more.`);
}
