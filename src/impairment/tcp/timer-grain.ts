import { type Instant, instant } from "../../environment/index.ts";

/** A kernel with HZ=250, as most servers and clouds have it. */
const JIFFY_MS = 4;
/** Timers of this many jiffies and more stand in the wheel's second level, of eight jiffies each. */
const SECOND_LEVEL_JIFFIES = 63;
const SECOND_LEVEL_GRAIN = 8;

/**
 * The grain of Linux's timers (kernel/time/timer.c, `calc_index`): a timer goes off with a tick of
 * the host, never early, and up to two grains late.
 */
export class TimerGrain {
  readonly #phaseMs: number;

  /** @param phase 0 to 1: where the ticks lie. */
  constructor(phase: number) {
    this.#phaseMs = phase * JIFFY_MS;
  }

  /** When a timer goes off that is set at `now` for `delayMs`. */
  expiry(now: Instant, delayMs: number): Instant {
    const jiffies = Math.floor((now - this.#phaseMs) / JIFFY_MS);
    const delay = Math.max(1, Math.ceil(delayMs / JIFFY_MS));
    const due = jiffies + delay;
    const grain = delay < SECOND_LEVEL_JIFFIES ? 1 : SECOND_LEVEL_GRAIN;
    const tick = (Math.floor(due / grain) + 1) * grain;
    return instant(tick * JIFFY_MS + this.#phaseMs);
  }
}
