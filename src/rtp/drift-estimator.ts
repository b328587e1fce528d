/** 30 points of 2 s: a minute. */
const POINTS_MAX = 30;
/** Fewer points say nothing. */
const POINTS_MIN = 6;
/** A point that misses the line by more than this, and by several deviations, begins a new line. */
const STEP_MS_MIN = 4;
const STEP_DEVIATIONS = 6;
/** No crystal is worse; a steeper line is a path that changes. */
const PPM_MAX = 2000;

/**
 * Estimates how fast the sender's clock runs against ours, by a least-squares line through the
 * least transit times of the last minute.
 */
export class DriftEstimator {
  readonly #atMs = new Float64Array(POINTS_MAX);
  readonly #transitMs = new Float64Array(POINTS_MAX);
  #count = 0;
  #next = 0;
  #slope = 0;
  #meanAtMs = 0;
  #meanTransitMs = 0;
  #deviationMs = 0;
  #isKnown = false;

  /** Milliseconds per millisecond by which packets come later and later; 0 until it is known. */
  get slope(): number {
    return this.#slope;
  }

  /** The sender's clock against ours: positive where it is fast; `undefined` until it is known. */
  get ppm(): number | undefined {
    return this.#isKnown ? -this.#slope * 1e6 : undefined;
  }

  /** Begins a new line (a new timestamp base); what is known of the clock is kept till then. */
  restart(): void {
    this.#count = 0;
    this.#next = 0;
  }

  /** Takes the least transit time of a stretch of time. */
  add(atMs: number, transitMs: number): void {
    if (this.#isStep(atMs, transitMs)) this.restart();
    this.#atMs[this.#next] = atMs;
    this.#transitMs[this.#next] = transitMs;
    this.#next = (this.#next + 1) % POINTS_MAX;
    this.#count = Math.min(POINTS_MAX, this.#count + 1);
    if (this.#count >= POINTS_MIN) this.#fit();
  }

  /** Whether the path became longer or shorter, which is no drift. */
  #isStep(atMs: number, transitMs: number): boolean {
    if (this.#count === 0) return false;
    const error = transitMs - this.#predict(atMs);
    return Math.abs(error) > Math.max(STEP_MS_MIN, STEP_DEVIATIONS * this.#deviationMs);
  }

  #predict(atMs: number): number {
    if (this.#count >= POINTS_MIN)
      return this.#meanTransitMs + this.#slope * (atMs - this.#meanAtMs);
    const last = (this.#next + POINTS_MAX - 1) % POINTS_MAX;
    const lastAtMs = this.#atMs[last] as number;
    return (this.#transitMs[last] as number) + this.#slope * (atMs - lastAtMs);
  }

  #fit(): void {
    let sumAt = 0;
    let sumTransit = 0;
    for (let index = 0; index < this.#count; index += 1) {
      sumAt += this.#atMs[index] as number;
      sumTransit += this.#transitMs[index] as number;
    }
    this.#meanAtMs = sumAt / this.#count;
    this.#meanTransitMs = sumTransit / this.#count;
    let covariance = 0;
    let variance = 0;
    let scatter = 0;
    for (let index = 0; index < this.#count; index += 1) {
      const at = (this.#atMs[index] as number) - this.#meanAtMs;
      const transit = (this.#transitMs[index] as number) - this.#meanTransitMs;
      covariance += at * transit;
      variance += at * at;
      scatter += transit * transit;
    }
    const slope = covariance / variance;
    this.#slope = Math.min(PPM_MAX / 1e6, Math.max(-PPM_MAX / 1e6, slope));
    this.#deviationMs = Math.sqrt(Math.max(0, scatter - slope * covariance) / this.#count);
    this.#isKnown = true;
  }
}
