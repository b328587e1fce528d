import type { Instant } from "../environment/index.ts";
import { DriftEstimator } from "./drift-estimator.ts";

/** Long enough for the least delayed packet to be nearly free of jitter. */
const WINDOW_MS = 2000;
/** After pauses a window goes on until it has so many packets. */
const WINDOW_PACKETS = 10;
/** Closed windows that the baseline looks back on: a lengthened path is believed after 8 s. */
const BASELINE_WINDOWS = 4;

/**
 * Follows the transit time of packets: arrival minus timestamp, of which only changes mean
 * anything. The least of the last seconds is the baseline, what a packet without queueing takes;
 * the drift of the clocks is taken out of it.
 */
export class TransitWatch {
  readonly #drift = new DriftEstimator();
  readonly #leastMs = new Float64Array(BASELINE_WINDOWS);
  readonly #leastAtMs = new Float64Array(BASELINE_WINDOWS);
  #closed = 0;
  #windowBeganAt = 0;
  #windowPackets = 0;
  #windowLeastMs = Number.POSITIVE_INFINITY;
  #windowLeastAt = 0;
  #baselineMs = Number.POSITIVE_INFINITY;

  /** The least transit time lately; infinite before the first packet of a timestamp base. */
  get baselineMs(): number {
    return this.#baselineMs;
  }

  /** The sender's clock against ours: positive where it is fast; `undefined` until it is known. */
  get driftPpm(): number | undefined {
    return this.#drift.ppm;
  }

  /** A new timestamp base begins: transit times before it compare with none after it. */
  reset(): void {
    this.#closed = 0;
    this.#beginWindow(0);
    this.#baselineMs = Number.POSITIVE_INFINITY;
    this.#drift.restart();
  }

  /** Takes one packet's transit time. */
  observe(transitMs: number, now: Instant): void {
    if (this.#windowPackets === 0) this.#beginWindow(now);
    this.#windowPackets += 1;
    if (transitMs < this.#windowLeastMs) {
      this.#windowLeastMs = transitMs;
      this.#windowLeastAt = now;
    }
    if (transitMs < this.#baselineMs) this.#baselineMs = transitMs;
    const isFull = now - this.#windowBeganAt >= WINDOW_MS && this.#windowPackets >= WINDOW_PACKETS;
    if (isFull) this.#closeWindow(now);
  }

  #beginWindow(now: number): void {
    this.#windowBeganAt = now;
    this.#windowPackets = 0;
    this.#windowLeastMs = Number.POSITIVE_INFINITY;
  }

  #closeWindow(now: Instant): void {
    this.#drift.add(this.#windowLeastAt, this.#windowLeastMs);
    const index = this.#closed % BASELINE_WINDOWS;
    this.#leastMs[index] = this.#windowLeastMs;
    this.#leastAtMs[index] = this.#windowLeastAt;
    this.#closed += 1;
    this.#beginWindow(now);
    let baselineMs = Number.POSITIVE_INFINITY;
    for (let each = 0; each < Math.min(this.#closed, BASELINE_WINDOWS); each += 1) {
      const agedMs = now - (this.#leastAtMs[each] as number);
      baselineMs = Math.min(
        baselineMs,
        (this.#leastMs[each] as number) + this.#drift.slope * agedMs,
      );
    }
    this.#baselineMs = baselineMs;
  }
}
