import { elapsedMs, type Instant } from "../../environment/index.ts";
import { spanMsOf } from "./ntp.ts";

/** The round trips measured so far; figures are `undefined` before the first. */
export interface RoundTripStatistics {
  readonly count: number;
  readonly lastMs: number | undefined;
  readonly minMs: number | undefined;
  readonly meanMs: number | undefined;
  readonly maxMs: number | undefined;
}

/** Time marks that are remembered: peers answer the last or last but one. */
const MARKS_MAX = 32;
/**
 * Where the peer's delay is in coarse ticks, it may say a little more than really passed: then the
 * round trip was shorter than its ticks, and is taken as 0. Beyond this it is not believed.
 */
const COARSE_TICK_MS = 20;

/**
 * Measures round trips (RFC 3550 §6.4.1, RFC 3611 §4.5) on the monotonic clock: it remembers at
 * which instant each time mark was sent, so that a stepping wall clock cannot spoil a figure.
 */
export class RoundTrips {
  readonly #marks = new Float64Array(MARKS_MAX).fill(-1);
  readonly #sentAt = new Float64Array(MARKS_MAX);
  #nextSlot = 0;
  #count = 0;
  #sumMs = 0;
  #lastMs: number | undefined;
  #minMs: number | undefined;
  #maxMs: number | undefined;

  get statistics(): RoundTripStatistics {
    return {
      count: this.#count,
      lastMs: this.#lastMs,
      minMs: this.#minMs,
      meanMs: this.#count === 0 ? undefined : this.#sumMs / this.#count,
      maxMs: this.#maxMs,
    };
  }

  /** @param mark the middle 32 bits of the NTP time in the SR or reference time that is sent. */
  noteSent(mark: number, now: Instant): void {
    this.#marks[this.#nextSlot] = mark;
    this.#sentAt[this.#nextSlot] = now;
    this.#nextSlot = (this.#nextSlot + 1) % MARKS_MAX;
  }

  /**
   * Takes the peer's answer that came at `now`.
   *
   * @param mark what the peer says it received last.
   * @param heldFor how long the peer says it held it, in units of 1/65536 s.
   * @returns the round trip, or `undefined` where the mark is not ours or the hold cannot be true.
   */
  measure(mark: number, heldFor: number, now: Instant): number | undefined {
    const sentAt = this.#sentAtOf(mark);
    if (sentAt === undefined) return undefined;
    const roundTripMs = elapsedMs(sentAt, now) - spanMsOf(heldFor);
    if (roundTripMs < -COARSE_TICK_MS) return undefined;
    return this.#add(Math.max(0, roundTripMs));
  }

  /** The newest one, should a wall clock that was set back have made the same mark twice. */
  #sentAtOf(mark: number): Instant | undefined {
    for (let age = 1; age <= MARKS_MAX; age += 1) {
      const slot = (this.#nextSlot - age + MARKS_MAX) % MARKS_MAX;
      if (this.#marks[slot] === mark) return this.#sentAt[slot] as Instant;
    }
    return undefined;
  }

  #add(roundTripMs: number): number {
    this.#count += 1;
    this.#sumMs += roundTripMs;
    this.#lastMs = roundTripMs;
    this.#minMs = Math.min(this.#minMs ?? roundTripMs, roundTripMs);
    this.#maxMs = Math.max(this.#maxMs ?? roundTripMs, roundTripMs);
    return roundTripMs;
  }
}
