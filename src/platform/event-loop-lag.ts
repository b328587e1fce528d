import { monitorEventLoopDelay } from "node:perf_hooks";

/** Lag of this thread's event loop since the last reading. */
export interface EventLoopLag {
  readonly p99Ms: number;
  readonly maxMs: number;
}

const RESOLUTION_MS = 10;

/** Watches this thread's event loop; `read` gives the lag since the last call. */
export class EventLoopMonitor {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#histogram.enable();
  }

  read(): EventLoopLag {
    const lag = this.peek();
    this.#histogram.reset();
    return lag;
  }

  /** The same, and the next reading will have it, too. */
  peek(): EventLoopLag {
    return {
      p99Ms: lagMs(this.#histogram.percentile(99)),
      maxMs: lagMs(this.#histogram.max),
    };
  }

  stop(): void {
    this.#histogram.disable();
  }
}

/** The histogram holds the whole interval; what is above the resolution is lag. */
function lagMs(nanoseconds: number): number {
  return Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS) : 0;
}
