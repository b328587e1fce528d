import type { Instant, Timer } from "../environment/index.ts";
import { SystemClock } from "./system-clock.ts";

const { setTimeout: startTimeout, clearTimeout: stopTimeout, setImmediate: nextTurn } = globalThis;

/** The host's timers may be late by their grain of 1 ms, and a little more. */
const SPIN_MS = 1.2;

/**
 * A clock whose timers are never early, and late by microseconds: the last millisecond is waited for
 * in turns of the event loop, which serve sockets meanwhile. It costs as much of a processor as
 * there are deadlines, and is for processes that do nothing else.
 */
export class PunctualClock extends SystemClock {
  override setTimer(dueAt: Instant, handler: () => void): Timer {
    let isCancelled = false;
    let handle: NodeJS.Timeout | undefined;
    const spin = (): void => {
      if (isCancelled) return;
      if (this.now() >= dueAt) handler();
      else nextTurn(spin);
    };
    const waitMs = Math.floor(dueAt - this.now() - SPIN_MS);
    if (waitMs >= 1) handle = startTimeout(spin, waitMs);
    else nextTurn(spin);
    return {
      cancel: () => {
        isCancelled = true;
        stopTimeout(handle);
      },
    };
  }
}
