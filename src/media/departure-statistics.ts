/** Bins of 0.1 ms up to 200 ms; the last bin holds what is beyond. */
const BIN_MS = 0.1;
const BIN_COUNT = 2000;

/** Deviation of packet departures from their absolute deadlines, without keeping each one. */
export class DepartureStatistics {
  readonly #bins = new Uint32Array(BIN_COUNT + 1);
  #count = 0;
  #maxMs = 0;
  #recentMaxMs = 0;
  #missedDeadlines = 0;

  /** @param latenessMs departure − deadline; a frame or more late counts as missed. */
  add(latenessMs: number, frameMs: number): void {
    const deviationMs = Math.abs(latenessMs);
    const bin = Math.min(BIN_COUNT, Math.floor(deviationMs / BIN_MS));
    this.#bins[bin] = (this.#bins[bin] as number) + 1;
    this.#count += 1;
    if (deviationMs > this.#maxMs) this.#maxMs = deviationMs;
    if (deviationMs > this.#recentMaxMs) this.#recentMaxMs = deviationMs;
    if (latenessMs >= frameMs) this.#missedDeadlines += 1;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  /** The worst since this was last asked. */
  takeRecentMaxMs(): number {
    const worstMs = this.#recentMaxMs;
    this.#recentMaxMs = 0;
    return worstMs;
  }

  get missedDeadlines(): number {
    return this.#missedDeadlines;
  }

  /** The upper edge of the bin in which the quantile lies: at most 0.1 ms above the truth. */
  quantileMs(quantile: number): number {
    const rank = Math.ceil(quantile * this.#count);
    let seen = 0;
    for (let bin = 0; bin <= BIN_COUNT; bin += 1) {
      seen += this.#bins[bin] as number;
      if (seen >= rank && seen > 0) return Math.min((bin + 1) * BIN_MS, this.#maxMs);
    }
    return 0;
  }
}
