import { elapsedMs, type Instant, instant } from "../../environment/index.ts";
import { type CongestionAvoidance, WINDOW_MIN_SEGMENTS } from "./congestion-avoidance.ts";

/** β and C of RFC 9438 §4.6 and §4.1, as fractions of 1024 in Linux. */
const BETA = 717 / 1024;
const CUBE_FACTOR = 410 / 1024;
/** Acknowledged segments by which Reno with CUBIC's β would grow by one, over the window. */
const FRIENDLY_SHARE = 15 / 8;
/** The target is looked up this often while the window stays the same (HZ / 32). */
const LOOK_UP_MS = 28;
const GROWTH_MIN_SEGMENTS = 2;
/** While no loss has shown how large the window may be. */
const UNKNOWN_GROWTH_SEGMENTS = 20;
const STANDSTILL = 100;

/**
 * CUBIC (RFC 9438) as Linux has it (net/ipv4/tcp_cubic.c), without HyStart, which looks at windows
 * of 16 segments and more in slow start.
 */
export class Cubic implements CongestionAvoidance {
  #lastMax = 0;
  #epochAt: Instant | undefined;
  #origin = 0;
  /** K of the RFC. */
  #rootS = 0;
  #friendlyWindow = 0;
  #acknowledged = 0;
  #leastRoundTripMs = 0;
  #lookedUpAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #lookedUpFor = 0;
  #perGrowth = GROWTH_MIN_SEGMENTS;

  reduce(window: number): number {
    this.#epochAt = undefined;
    this.#lastMax = window < this.#lastMax ? Math.floor((window * (1 + BETA)) / 2) : window;
    return Math.max(Math.floor(window * BETA), WINDOW_MIN_SEGMENTS);
  }

  segmentsPerGrowth(window: number, acknowledged: number, now: Instant): number {
    this.#acknowledged += acknowledged;
    const isRecent = elapsedMs(this.#lookedUpAt, now) <= LOOK_UP_MS;
    if (this.#epochAt !== undefined && this.#lookedUpFor === window && isRecent) {
      return this.#perGrowth;
    }
    this.#lookedUpFor = window;
    this.#lookedUpAt = now;
    this.#perGrowth = Math.max(
      GROWTH_MIN_SEGMENTS,
      Math.min(this.#byCube(window, acknowledged, now), this.#byFriendliness(window)),
    );
    return this.#perGrowth;
  }

  handleRoundTrip(ms: number): void {
    if (this.#leastRoundTripMs === 0 || ms < this.#leastRoundTripMs) this.#leastRoundTripMs = ms;
  }

  handleTimeout(): void {
    this.#lastMax = 0;
    this.#epochAt = undefined;
    this.#leastRoundTripMs = 0;
    this.#lookedUpFor = 0;
    this.#perGrowth = GROWTH_MIN_SEGMENTS;
  }

  handleIdle(idleMs: number, now: Instant): void {
    if (this.#epochAt === undefined || idleMs <= 0) return;
    this.#epochAt = instant(Math.min(now, this.#epochAt + idleMs));
  }

  #byCube(window: number, acknowledged: number, now: Instant): number {
    if (this.#epochAt === undefined) {
      this.#epochAt = now;
      this.#acknowledged = acknowledged;
      this.#friendlyWindow = window;
      const missing = Math.max(0, this.#lastMax - window);
      this.#rootS = Math.cbrt(missing / CUBE_FACTOR);
      this.#origin = missing === 0 ? window : this.#lastMax;
    }
    const timeS = (elapsedMs(this.#epochAt, now) + this.#leastRoundTripMs) / 1000;
    // Linux cuts the distance from the origin to whole segments, on either side of it.
    const target = this.#origin + Math.trunc(CUBE_FACTOR * (timeS - this.#rootS) ** 3);
    const missing = target - window;
    const perGrowth = missing > 0 ? Math.floor(window / missing) : STANDSTILL * window;
    return this.#lastMax === 0 ? Math.min(perGrowth, UNKNOWN_GROWTH_SEGMENTS) : perGrowth;
  }

  #byFriendliness(window: number): number {
    const share = Math.max(1, Math.floor(window * FRIENDLY_SHARE));
    while (this.#acknowledged > share) {
      this.#acknowledged -= share;
      this.#friendlyWindow += 1;
    }
    const ahead = this.#friendlyWindow - window;
    return ahead > 0 ? Math.floor(window / ahead) : Number.POSITIVE_INFINITY;
  }
}
