import { type CodecImpairment, codecImpairmentOf, type RatingScale } from "./codec-impairments.ts";
import { type Rating, rateNarrowband } from "./e-model.ts";
import { rateFullband, rateWideband } from "./e-model-wide.ts";

/** What a call's media were like, for the E-model. */
export interface MediaConditions {
  readonly codec: string;
  /** 0–1: of the packets that were due, those not played. */
  readonly lossRatio: number;
  readonly burstRatio: number;
  /** One way, mouth to ear, the codec's own delay included. */
  readonly delayMs: number;
}

/** An estimate of what people would think of a connection, and what it rests on. */
export interface RatingEstimate extends Rating {
  readonly scale: RatingScale;
  /** What the codec costs at no loss and no delay: the best that this call could be. */
  readonly best: Rating;
  readonly basis: CodecImpairment["basis"];
  readonly source: string;
  /** What the rating was computed with. */
  readonly delayMs: number;
}

/**
 * The E-model's estimate for one direction of a call; `undefined` for a codec that nobody has rated.
 * Echo is taken at the model's defaults (narrow-band) or as cancelled (wider ones).
 */
export function estimateRating(conditions: MediaConditions): RatingEstimate | undefined {
  const codec = codecImpairmentOf(conditions.codec);
  if (codec === undefined) return undefined;
  const { delayMs } = conditions;
  const rated = rate(codec, {
    delayMs,
    lossPercent: 100 * conditions.lossRatio,
    burstRatio: conditions.burstRatio,
  });
  const best = rate(codec, { delayMs: 0, lossPercent: 0, burstRatio: 1 });
  const { scale, basis, source } = codec;
  return { ...rated, scale, best, basis, source, delayMs };
}

function rate(
  { scale, equipmentImpairment, lossRobustness }: CodecImpairment,
  heard: { readonly delayMs: number; readonly lossPercent: number; readonly burstRatio: number },
): Rating {
  const connection = { ...heard, equipmentImpairment, lossRobustness };
  if (scale === "wideband") return rateWideband(connection);
  if (scale === "fullband") return rateFullband(connection);
  // T = Ta and Tr = 2 Ta: an echo, were there one, comes from the far end (G.107 §7.4).
  const { delayMs } = heard;
  return rateNarrowband({ ...connection, echoDelayMs: delayMs, roundTripMs: 2 * delayMs });
}

/** The delay of a codec itself, beyond the packet's time; 0 for one that is not known. */
export function codecDelayMs(codec: string): number {
  return codecImpairmentOf(codec)?.codecDelayMs ?? 0;
}
