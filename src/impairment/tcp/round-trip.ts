/** Linux's least and greatest retransmission timeout (`TCP_RTO_MIN`, `TCP_RTO_MAX`). */
export const RTO_MIN_MS = 200;
const RTO_MAX_MS = 120_000;
/** RFC 6298 §2.1. */
const RTO_INITIAL_MS = 1000;

/**
 * Round trips smoothed as Linux does it (`tcp_rtt_estimator`): RFC 6298, but the deviation has a
 * floor of 200 ms, falls at most once a round trip, and an unusually short sample hardly raises it.
 */
export class RoundTrip {
  /** Smoothed; 0 before the first sample. */
  smoothedMs = 0;
  leastMs: number = Number.POSITIVE_INFINITY;
  /** Doubled by each timeout, until the next sample. */
  timeoutMs: number = RTO_INITIAL_MS;
  /** All three are four deviations. */
  #deviationMs = 0;
  #deviationOfRound = RTO_MIN_MS;
  #meanDeviation = 0;
  #roundEndsAt = 0;

  /** @param acknowledged and sent: bytes of the stream so far, which tell rounds apart. */
  handleSample(ms: number, acknowledged: number, sent: number): void {
    if (this.smoothedMs === 0) {
      this.smoothedMs = ms;
      this.#meanDeviation = 2 * ms;
      this.#deviationMs = Math.max(this.#meanDeviation, RTO_MIN_MS);
      this.#deviationOfRound = this.#deviationMs;
      this.#roundEndsAt = sent;
    } else this.#smooth(ms, acknowledged, sent);
    this.timeoutMs = Math.min(RTO_MAX_MS, this.smoothedMs + this.#deviationMs);
  }

  /** A sample of the latest segment: what the path takes without delayed acknowledgements. */
  handleLeast(ms: number): void {
    this.leastMs = Math.min(this.leastMs, ms);
  }

  backOff(): void {
    this.timeoutMs = Math.min(RTO_MAX_MS, 2 * this.timeoutMs);
  }

  #smooth(ms: number, acknowledged: number, sent: number): void {
    const error = ms - this.smoothedMs;
    this.smoothedMs += error / 8;
    let growth = Math.abs(error) - this.#meanDeviation / 4;
    if (error < 0 && growth > 0) growth /= 8;
    this.#meanDeviation += growth;
    if (this.#meanDeviation > this.#deviationOfRound) {
      this.#deviationOfRound = this.#meanDeviation;
      this.#deviationMs = Math.max(this.#deviationMs, this.#deviationOfRound);
    }
    if (acknowledged <= this.#roundEndsAt) return;
    if (this.#deviationOfRound < this.#deviationMs) {
      this.#deviationMs -= (this.#deviationMs - this.#deviationOfRound) / 4;
    }
    this.#roundEndsAt = sent;
    this.#deviationOfRound = RTO_MIN_MS;
  }
}
