import { after, type Instant } from "../../environment/index.ts";

/** First pause before a lost connection is opened again; doubled each time. */
const BACKOFF_MS = 250;
const BACKOFF_MS_MAX = 4000;
/** RFC 6455 §7.4.1: the request itself was at fault, so that another one would be, too. */
const OUR_FAULT: ReadonlySet<number> = new Set([1000, 1002, 1003, 1007, 1008, 1009]);

/** When a lost connection is opened again: at once, then after pauses that grow. */
export class Reconnection {
  readonly #attemptsMax: number;
  #attempts = 0;
  #total = 0;

  constructor(attemptsMax: number) {
    this.#attemptsMax = attemptsMax;
  }

  /** Attempts since the session began. */
  get total(): number {
    return this.#total;
  }

  /** Attempts since the session was last up. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The session is up (again). */
  handleReady(): void {
    this.#attempts = 0;
  }

  /** When to open the next connection; `undefined` where the session is lost. */
  nextAttempt(now: Instant): Instant | undefined {
    if (this.#attempts >= this.#attemptsMax) return undefined;
    const pauseMs =
      this.#attempts === 0 ? 0 : Math.min(BACKOFF_MS * 2 ** (this.#attempts - 1), BACKOFF_MS_MAX);
    this.#attempts += 1;
    this.#total += 1;
    return after(now, pauseMs);
  }
}

/**
 * Whether a lost connection may be followed by another. An upgrade refused with a 4xx status other
 * than 429 would be refused again.
 */
export function isWorthAnotherTry(code: number, socketError: Error | undefined): boolean {
  const status = (socketError as { readonly statusCode?: unknown } | undefined)?.statusCode;
  const isRefused = typeof status === "number" && status >= 400 && status < 500 && status !== 429;
  return !OUR_FAULT.has(code) && !isRefused;
}
