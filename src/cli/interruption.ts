import { after, type Clock, type Instant } from "../environment/index.ts";

/** npm passes the terminal's Ctrl-C on, so that one press arrives twice; these are one. */
const SAME_PRESS_MS = 1000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** What an interruption leads to. */
export interface InterruptionHandlers {
  /** Ends what is going on, in order. */
  readonly onFirst: () => void;
  /** Quits at once: whoever presses again does not want to wait. */
  readonly onSecond: () => void;
}

/** Tells the first Ctrl-C from the second. It does not know what either leads to. */
export class Interruption {
  readonly #clock: Clock;
  readonly #handlers: InterruptionHandlers;
  #firstAt: Instant | undefined;

  constructor(clock: Clock, handlers: InterruptionHandlers) {
    this.#clock = clock;
    this.#handlers = handlers;
  }

  get hasHappened(): boolean {
    return this.#firstAt !== undefined;
  }

  /** One signal; bound, so that it can be a listener. */
  readonly receive = (): void => {
    const now = this.#clock.now();
    if (this.#firstAt === undefined) {
      this.#firstAt = now;
      this.#handlers.onFirst();
    } else if (now >= after(this.#firstAt, SAME_PRESS_MS)) {
      this.#handlers.onSecond();
    }
  };

  /** Takes the process's signals over; returns what gives them back. */
  listen(): () => void {
    for (const signal of SIGNALS) process.on(signal, this.receive);
    return () => {
      for (const signal of SIGNALS) process.off(signal, this.receive);
    };
  }
}
