import { after, type Clock, type Timer } from "../environment/index.ts";

// Captured at load: `replaceGlobalTimers` takes the place of the others.
const {
  setImmediate: startImmediate,
  setInterval: startInterval,
  clearInterval: stopInterval,
  setTimeout: startTimeout,
} = globalThis;
const IDLE_MS = 1;
/** Longer than any run. */
const LIFETIME_MS = 0x7fff_ffff;

/** Resolves once promises, `nextTick`s and stream callbacks that are under way have settled. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    startImmediate(resolve);
  });
}

/** Resolves a real millisecond later: for those who wait for the host, and not for a clock. */
export function idle(): Promise<void> {
  return new Promise((resolve) => {
    startTimeout(resolve, IDLE_MS);
  });
}

/** Keeps the process alive, whatever it waits for, until the result is called. */
export function keepAlive(): () => void {
  const timer = startInterval(() => undefined, LIFETIME_MS);
  return () => stopInterval(timer);
}

/**
 * A timer in the place of Node's `Timeout`, with what libraries ask of one. It keeps no process
 * alive.
 */
class ReplacedTimeout {
  readonly #clock: Clock;
  readonly #handler: () => void;
  readonly #delayMs: number;
  readonly #repeats: boolean;
  #timer: Timer | undefined;

  constructor(clock: Clock, handler: () => void, delayMs: number, repeats: boolean) {
    this.#clock = clock;
    this.#handler = handler;
    // As Node does: what is no sensible delay is 1 ms.
    this.#delayMs = delayMs >= 1 && delayMs <= 0x7fff_ffff ? Math.trunc(delayMs) : 1;
    this.#repeats = repeats;
    this.refresh();
  }

  refresh(): this {
    this.close();
    this.#timer = this.#clock.setTimer(after(this.#clock.now(), this.#delayMs), () => {
      if (this.#repeats) this.refresh();
      this.#handler();
    });
    return this;
  }

  close(): this {
    this.#timer?.cancel();
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return false;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

type Handler = (...parameters: unknown[]) => void;

/** Libraries whose timers are part of a protocol, and no wait of anybody's. */
const PROTOCOL_LIBRARY = /[\\/]node_modules[\\/](?:sip\.js|ws)[\\/]/u;

/** Whether the function that called `callee` stands in one of them. */
function isCalledByProtocol(callee: (...parameters: never[]) => unknown): boolean {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 1;
  const trace: { stack?: string } = {};
  Error.captureStackTrace(trace, callee);
  Error.stackTraceLimit = limit;
  return PROTOCOL_LIBRARY.test(trace.stack ?? "");
}

/** By what clocks timers go. */
export interface TimerClocks {
  /** Those of sip.js and ws. */
  readonly protocols: Clock;
  /** Those of everybody else: a scenario's own steps. */
  readonly others: Clock;
}

/**
 * Lets the global `setTimeout` and `setInterval` go by other clocks. Who captured them before keeps
 * the host's; so do Node's own modules.
 *
 * @returns puts the host's back.
 */
export function replaceGlobalTimers({ protocols, others }: TimerClocks): () => void {
  const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
  const starter = (repeats: boolean) => {
    const start = (handler: Handler, delayMs = 0, ...parameters: unknown[]): ReplacedTimeout => {
      const clock = isCalledByProtocol(start) ? protocols : others;
      return new ReplacedTimeout(clock, () => handler(...parameters), delayMs, repeats);
    };
    return start;
  };
  const stop = (timer: unknown): void => {
    if (timer instanceof ReplacedTimeout) timer.close();
    else clearTimeout(timer as NodeJS.Timeout);
  };
  Object.assign(globalThis, {
    setTimeout: starter(false),
    setInterval: starter(true),
    clearTimeout: stop,
    clearInterval: stop,
  });
  return () => {
    Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval });
  };
}
