import { type Clock, type Instant, instant, type Timer } from "../environment/index.ts";

// Captured at load: a user's test suite may install fake timers, which must not stop our clocks.
const { setTimeout: startTimeout, clearTimeout: stopTimeout } = globalThis;
const monotonicNow = performance.now.bind(performance);
const wallClockNow = Date.now;

/** `performance.now()` counts from the start of each thread; this moves it to the host's clock. */
const THREAD_OFFSET_MS = Number(process.hrtime.bigint()) / 1e6 - monotonicNow();

/**
 * The host's timers have a grain of 1 ms. Rounding up would make every packet late by 0.8 ms in the
 * median (measured); rounding to the nearest keeps the error within half a grain both ways.
 */
const EARLY_MS_MAX = 0.5;

/** The host's clocks. All threads and processes of one host agree on `now()`. */
export class SystemClock implements Clock {
  now(): Instant {
    return instant(monotonicNow() + THREAD_OFFSET_MS);
  }

  wallClockMs(): number {
    return wallClockNow();
  }

  setTimer(dueAt: Instant, handler: () => void): Timer {
    let handle: NodeJS.Timeout;
    const arm = (): void => {
      handle = startTimeout(fire, Math.max(1, Math.floor(dueAt - this.now())));
    };
    const fire = (): void => {
      if (dueAt - this.now() > EARLY_MS_MAX) arm();
      else handler();
    };
    arm();
    return { cancel: () => stopTimeout(handle) };
  }
}
