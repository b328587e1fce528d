declare const instantBrand: unique symbol;

/**
 * A point on the monotonic clock of this host, in milliseconds (fractions count).
 *
 * All threads and processes of one host share it (CLOCK_MONOTONIC), so that facts taken in several
 * of them can be laid on one time axis. It says nothing about the wall clock.
 */
export type Instant = number & { readonly [instantBrand]: true };

/** Brands milliseconds of the monotonic clock. Only clocks, decoders and tests need it. */
export function instant(ms: number): Instant {
  return ms as Instant;
}

/** The instant `ms` milliseconds after (negative: before) `from`. */
export function after(from: Instant, ms: number): Instant {
  return (from + ms) as Instant;
}

/** Milliseconds from `from` to `to`; negative where `to` is earlier. */
export function elapsedMs(from: Instant, to: Instant): number {
  return to - from;
}
