/** Packets that were not heard, and how a codec bears it. */
export interface PacketLoss {
  /** Ppl: packets lost, late or discarded, in percent; default 0. */
  readonly lossPercent?: number;
  /**
   * BurstR: the mean length of a run of losses as it was, over that of random loss; 1 is random,
   * more is bursty; default 1.
   */
  readonly burstRatio?: number;
  /** Bpl: how well codec and concealment bear loss (G.113); default 4.3, the worst of its table. */
  readonly lossRobustness?: number;
}

/**
 * Ie,eff: the impairment of a codec with loss. `most` is what total loss costs: 95 in G.107 (7-29)
 * and G.107.1 (7-15), 132 in G.107.2.
 */
export function lossImpairment(equipment: number, loss: PacketLoss, most: number): number {
  const { lossPercent = 0, burstRatio = 1, lossRobustness = 4.3 } = loss;
  if (lossPercent <= 0) return equipment;
  return (
    equipment +
    ((most - equipment) * lossPercent) / (lossPercent / Math.max(burstRatio, 1) + lossRobustness)
  );
}

/** The mean opinion of a rating on the scale of 0 to 100 (G.107 (06/2015) Annex B, (B-4)). */
export function mosOfRating(r: number): number {
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  // The cubic dips below 1 for ratings under 6.5, where nobody can tell worse from bad.
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6);
}
