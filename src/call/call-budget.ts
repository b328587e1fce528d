import { UsageError } from "../environment/index.ts";

/** How much a run may call. Plain data. */
export interface CallLimits {
  /** Calls placed in the whole run; default 10 000. */
  readonly maxCalls?: number;
  /** Placed calls that are up or ringing at a time; default 1000. */
  readonly maxConcurrentCalls?: number;
  /** The longest that a call may be let ring; default 180 000. */
  readonly maxRingMs?: number;
  /** The longest that a call may last, whatever an agent was told; default: as the agent says. */
  readonly maxCallDurationMs?: number;
}

/** Whom and how much an agent may call. It crosses threads; `ledger` stays one for all of them. */
export interface DialRules extends CallLimits {
  /** Permitted hosts beside loopback; see docs/sip.md. */
  readonly allow?: readonly string[];
  /** The run's count of calls; made by the harness, absent for an agent on its own. */
  readonly ledger?: SharedArrayBuffer;
}

const LIMIT_NAMES = ["maxCalls", "maxConcurrentCalls", "maxRingMs", "maxCallDurationMs"] as const;
const DEFAULT_MAX_CALLS = 10_000;
const DEFAULT_MAX_CONCURRENT_CALLS = 1000;
const DEFAULT_MAX_RING_MS = 180_000;

/** What the ledger counts. */
const PLACED = 0;
const PLACED_AND_LIVE = 1;
/** Calls of either direction that have not ended: what must be hung up before the process ends. */
const LIVE = 2;
const LEDGER_BYTES = 3 * Int32Array.BYTES_PER_ELEMENT;

/**
 * The run's allowance of calls. It holds across the threads of a run, because they count in the
 * same memory, and at once: a call is refused before its first packet, whichever thread placed it
 * and why (a step, a transfer, a load).
 */
export class CallBudget {
  readonly #limits: CallLimits;
  readonly #ledger: Int32Array;

  /** @throws UsageError ERR_LIMIT_MALFORMED. */
  constructor({ ledger = CallBudget.newLedger(), ...limits }: DialRules = {}) {
    checkLimits(limits);
    this.#limits = limits;
    this.#ledger = new Int32Array(ledger);
  }

  /** Memory for the counts of one run. */
  static newLedger(): SharedArrayBuffer {
    return new SharedArrayBuffer(LEDGER_BYTES);
  }

  get placed(): number {
    return Atomics.load(this.#ledger, PLACED);
  }

  /** Calls of either direction that have not ended. */
  get live(): number {
    return Atomics.load(this.#ledger, LIVE);
  }

  /**
   * Enters a call that is about to be placed; call the result once when it has ended.
   * @throws UsageError ERR_CALLS_EXHAUSTED, ERR_TOO_MANY_CALLS.
   */
  enterPlaced(): () => void {
    const { maxCalls = DEFAULT_MAX_CALLS, maxConcurrentCalls = DEFAULT_MAX_CONCURRENT_CALLS } =
      this.#limits;
    if (!this.#addBelow(PLACED_AND_LIVE, maxConcurrentCalls)) {
      throw new UsageError(
        "ERR_TOO_MANY_CALLS",
        `${maxConcurrentCalls} calls are up already, and no more may be at a time. End some first, or raise the limit: --max-concurrent (in code and world parameters: maxConcurrentCalls).`,
        { context: { maxConcurrentCalls } },
      );
    }
    if (!this.#addBelow(PLACED, maxCalls)) {
      Atomics.sub(this.#ledger, PLACED_AND_LIVE, 1);
      throw new UsageError(
        "ERR_CALLS_EXHAUSTED",
        `This run has placed ${maxCalls} calls, and may not place more. Raise the limit if that is meant: --max-calls (in code and world parameters: maxCalls).`,
        { context: { maxCalls } },
      );
    }
    const leave = this.enterTaken();
    return once(() => {
      Atomics.sub(this.#ledger, PLACED_AND_LIVE, 1);
      leave();
    });
  }

  /** Enters a call that somebody else placed; call the result once when it has ended. */
  enterTaken(): () => void {
    Atomics.add(this.#ledger, LIVE, 1);
    return once(() => {
      Atomics.sub(this.#ledger, LIVE, 1);
      Atomics.notify(this.#ledger, LIVE);
    });
  }

  /**
   * How long a call may last: as it was asked for, else the default, and never beyond the limit.
   * @throws UsageError ERR_CALL_LIMIT where more was asked for than the run allows.
   */
  durationMs(wantedMs: number | undefined, defaultMs: number): number {
    const limitMs = this.#limits.maxCallDurationMs ?? Number.POSITIVE_INFINITY;
    if ((wantedMs ?? 0) <= limitMs) return wantedMs ?? Math.min(defaultMs, limitMs);
    throw beyondLimit("A call", { wantedMs, limitMs }, "--max-duration");
  }

  /** The same for how long it may ring. */
  ringMs(wantedMs: number | undefined, defaultMs: number): number {
    const limitMs = this.#limits.maxRingMs ?? DEFAULT_MAX_RING_MS;
    if ((wantedMs ?? 0) <= limitMs) return wantedMs ?? Math.min(defaultMs, limitMs);
    throw beyondLimit("The ringing of a call", { wantedMs, limitMs }, "--max-ring");
  }

  /**
   * Blocks this thread until no call is live, or none has ended for `limitMs`; other threads go on.
   * Only for the end of the process, when nothing else can wait.
   * @returns whether none is left.
   */
  waitUntilNoneLive(limitMs: number): boolean {
    for (;;) {
      const { live } = this;
      if (live <= 0) return true;
      if (Atomics.wait(this.#ledger, LIVE, live, limitMs) === "timed-out") return false;
    }
  }

  /** Adds one unless that would exceed `limit`. */
  #addBelow(index: number, limit: number): boolean {
    for (;;) {
      const present = Atomics.load(this.#ledger, index);
      if (present >= limit) return false;
      if (Atomics.compareExchange(this.#ledger, index, present, present + 1) === present)
        return true;
    }
  }
}

/** The limits among other options. */
export function limitsIn(options: CallLimits): CallLimits {
  const chosen = LIMIT_NAMES.filter((name) => options[name] !== undefined);
  return Object.fromEntries(chosen.map((name) => [name, options[name]]));
}

function checkLimits(limits: CallLimits): void {
  for (const name of LIMIT_NAMES) {
    const value: unknown = limits[name];
    if (value === undefined || (Number.isSafeInteger(value) && (value as number) > 0)) continue;
    const message = `The limit ${name} must be a whole number above 0.`;
    throw new UsageError("ERR_LIMIT_MALFORMED", message, { context: { name } });
  }
}

function beyondLimit(
  what: string,
  { wantedMs, limitMs }: { readonly wantedMs: number | undefined; readonly limitMs: number },
  option: string,
): UsageError {
  return new UsageError(
    "ERR_CALL_LIMIT",
    `${what} may last ${limitMs} ms at most; ${wantedMs} ms were asked for. Ask for less, or raise the limit: ${option}.`,
    { context: { wantedMs, limitMs } },
  );
}

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    action();
  };
}
