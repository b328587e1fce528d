/** How to make a `DriftWatch`. */
export interface DriftWatchOptions {
  readonly frameMs: number;
  /** The earliest that the least delayed packet may keep coming without being corrected. */
  readonly baselineMsMin: number;
  /** The latest. */
  readonly baselineMsMax: number;
}

/** 2 s of 20 ms packets: long enough for the least delayed one to be nearly free of jitter. */
const WINDOW_PACKETS = 100;

/**
 * Notices that the sender's clock runs away from ours, or that the path became longer or shorter.
 *
 * It follows the least delayed packet of each window, which jitter hardly touches. The first
 * window sets what is normal; a deviation of a frame or more is reported in whole frames. At
 * 500 ppm that is one frame in 40 s.
 */
export class DriftWatch {
  readonly #options: DriftWatchOptions;
  #packets = 0;
  #leastMs = Number.POSITIVE_INFINITY;
  #baselineMs: number | undefined;

  constructor(options: DriftWatchOptions) {
    this.#options = options;
  }

  /** Forgets what is normal: another talkspurt or source begins. */
  reset(): void {
    this.#baselineMs = undefined;
    this.#beginWindow();
  }

  /**
   * Takes the lateness of one packet against the local clock.
   *
   * @returns frames by which packets now come later (negative: earlier) than they did; 0 mostly.
   * The caller shifts its clock by that many.
   */
  observe(latenessMs: number): number {
    this.#leastMs = Math.min(this.#leastMs, latenessMs);
    this.#packets += 1;
    if (this.#packets < WINDOW_PACKETS) return 0;

    const { frameMs, baselineMsMin, baselineMsMax } = this.#options;
    const leastMs = this.#leastMs;
    this.#beginWindow();
    this.#baselineMs ??= Math.min(baselineMsMax, Math.max(baselineMsMin, leastMs));
    const frames = Math.trunc((leastMs - this.#baselineMs) / frameMs);
    return frames === 0 ? 0 : frames;
  }

  #beginWindow(): void {
    this.#packets = 0;
    this.#leastMs = Number.POSITIVE_INFINITY;
  }
}
