import { type Clock, type Instant, instant, type Timer } from "../../../src/environment/index.ts";

/** A timer that waits; `dueAt` ties are broken by `order`. */
interface Waiting {
  readonly dueAt: number;
  readonly order: number;
  readonly handler: () => void;
  readonly everyMs: number | undefined;
  isCleared: boolean;
}

type TimerGlobals = Pick<
  typeof globalThis,
  "setTimeout" | "clearTimeout" | "setInterval" | "clearInterval"
>;

/**
 * Time for thousands of calls: sip.js's timers and ours in one heap. Vitest's fake timers look at
 * all of them for each step, and wait a real millisecond between two.
 */
export class VirtualTime implements Clock {
  readonly #real: TimerGlobals;
  readonly #nextTurn: (resume: () => void) => void;
  readonly #heap: Waiting[] = [];
  #now = 0;
  #order = 0;
  #pending = 0;

  /** Takes the place of the global timers until `uninstall`. */
  constructor() {
    const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = globalThis;
    this.#real = { setTimeout, clearTimeout, setInterval, clearInterval };
    this.#nextTurn = setImmediate;
    const arm =
      (repeats: boolean) =>
      (handler: (...parameters: unknown[]) => void, ms = 0, ...parameters: unknown[]): Waiting => {
        const everyMs = repeats ? Math.max(1, ms) : undefined;
        return this.#arm(this.#now + Math.max(0, ms), () => handler(...parameters), everyMs);
      };
    const clear = (timer: Waiting | undefined): void => this.#clear(timer);
    Object.assign(globalThis, {
      setTimeout: arm(false),
      clearTimeout: clear,
      setInterval: arm(true),
      clearInterval: clear,
    });
  }

  uninstall(): void {
    Object.assign(globalThis, this.#real);
  }

  /** Timers that are to fire yet. */
  get pendingTimers(): number {
    return this.#pending;
  }

  now(): Instant {
    return instant(this.#now);
  }

  wallClockMs(): number {
    return 1_750_000_000_000 + this.#now;
  }

  setTimer(dueAt: Instant, handler: () => void): Timer {
    const timer = this.#arm(Math.max(dueAt, this.#now), handler, undefined);
    return { cancel: () => this.#clear(timer) };
  }

  /** Lets time pass; all promises are followed up between two timers. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      await new Promise<void>((resume) => this.#nextTurn(resume));
      const due = this.#takeDue(until);
      if (due === undefined) break;
      this.#fire(due);
    }
    this.#now = until;
  }

  /** Lets time pass at once: promises are followed up later. */
  passTimers(ms: number): void {
    const until = this.#now + ms;
    for (let due = this.#takeDue(until); due !== undefined; due = this.#takeDue(until)) {
      this.#fire(due);
    }
    this.#now = until;
  }

  #fire(due: Waiting): void {
    this.#now = due.dueAt;
    if (due.everyMs !== undefined) this.#arm(due.dueAt + due.everyMs, due.handler, due.everyMs);
    due.handler();
  }

  #arm(dueAt: number, handler: () => void, everyMs: number | undefined): Waiting {
    this.#order += 1;
    const timer = { dueAt, handler, everyMs, order: this.#order, isCleared: false };
    this.#pending += 1;
    this.#push(timer);
    return timer;
  }

  #clear(timer: Waiting | undefined): void {
    if (timer === undefined || timer.isCleared) return;
    timer.isCleared = true;
    this.#pending -= 1;
  }

  #takeDue(until: number): Waiting | undefined {
    for (;;) {
      const [first] = this.#heap;
      if (first === undefined || (!first.isCleared && first.dueAt > until)) return undefined;
      this.#pop();
      if (first.isCleared) continue;
      first.isCleared = true;
      this.#pending -= 1;
      return first;
    }
  }

  #push(timer: Waiting): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(timer, heap[parent] as Waiting)) break;
      heap[index] = heap[parent] as Waiting;
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Waiting;
    if (heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = child + 1;
      if (right < heap.length && isBefore(heap[right] as Waiting, heap[child] as Waiting)) {
        child = right;
      }
      if (!isBefore(heap[child] as Waiting, last)) break;
      heap[index] = heap[child] as Waiting;
      index = child;
    }
    heap[index] = last;
  }
}

function isBefore(one: Waiting, other: Waiting): boolean {
  return one.dueAt < other.dueAt || (one.dueAt === other.dueAt && one.order < other.order);
}
