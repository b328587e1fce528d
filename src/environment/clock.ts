import type { Instant } from "./instant.ts";

/** A timer that has been set and can still be taken back. */
export interface Timer {
  cancel(): void;
}

/** What code may ask of time. Engines get `now` as an argument and never see this. */
export interface Clock {
  /** The present instant. */
  now(): Instant;
  /** Milliseconds since 1970-01-01 UTC; to be shown to people, never to be measured with. */
  wallClockMs(): number;
  /**
   * Calls `handler` once, at `dueAt` or as soon after it as the host allows; a host whose timers
   * are coarse may be up to 0.5 ms early.
   */
  setTimer(dueAt: Instant, handler: () => void): Timer;
}
