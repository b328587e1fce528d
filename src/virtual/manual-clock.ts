import { after, type Clock, type Instant, instant, type Timer } from "../environment/index.ts";
import { type HeapTimer, TimerHeap } from "./timer-heap.ts";

/** Guards against code that sets one due timer after the other at the same instant. */
const MAX_TIMERS_PER_ADVANCE = 1_000_000;

/** A clock that stands still until it is told to advance; timers fire in order, exactly on time. */
export class ManualClock implements Clock {
  readonly #timers = new TimerHeap();
  readonly #wallClockOffsetMs: number;
  #now: Instant;
  #sequence = 0;

  /** @param start is the first instant; the wall clock shows `wallClockStartMs` then. */
  constructor(start: Instant = instant(0), wallClockStartMs = 1_750_000_000_000) {
    this.#now = start;
    this.#wallClockOffsetMs = wallClockStartMs - start;
  }

  /** When the next timer is due. */
  get nextTimerAt(): Instant | undefined {
    return this.#timers.peek()?.dueAt;
  }

  /** Timers that wait. */
  get timerCount(): number {
    return this.#timers.size;
  }

  now(): Instant {
    return this.#now;
  }

  wallClockMs(): number {
    return this.#now + this.#wallClockOffsetMs;
  }

  setTimer(dueAt: Instant, handler: () => void): Timer {
    const timer: HeapTimer = { dueAt, sequence: this.#sequence, handler, isDone: false };
    this.#sequence += 1;
    this.#timers.add(timer);
    return { cancel: () => this.#timers.cancel(timer) };
  }

  /** Lets `ms` pass, firing what becomes due on the way. */
  advance(ms: number): void {
    this.advanceTo(after(this.#now, ms));
  }

  /** Lets time pass until `until`. */
  advanceTo(until: Instant): void {
    for (let fired = 0; fired < MAX_TIMERS_PER_ADVANCE; fired += 1) {
      if (!this.#fireNext(until)) {
        if (until > this.#now) this.#now = until;
        return;
      }
    }
    throw new Error("Timers are set without end at one instant.");
  }

  /**
   * As `advance`, but between two timers promises are settled, so that code that awaits goes on at
   * the right instant.
   */
  async advanceAsync(ms: number): Promise<void> {
    const until = after(this.#now, ms);
    await settlePromises();
    while (this.#fireNext(until)) {
      // One timer after the other: that is what the clock is for.
      // oxlint-disable-next-line no-await-in-loop
      await settlePromises();
    }
    if (until > this.#now) this.#now = until;
  }

  /**
   * Goes to the instant of the next timer and fires all that are due then; those that they set for
   * the same instant wait for the next call.
   * @returns whether there was one.
   */
  fireNextInstant(): boolean {
    const first = this.#timers.peek();
    if (first === undefined) return false;
    const until = first.dueAt > this.#now ? first.dueAt : this.#now;
    const setBefore = this.#sequence;
    for (let next = this.#timers.peek(); next !== undefined; next = this.#timers.peek()) {
      if (next.dueAt > until || next.sequence >= setBefore) break;
      this.#fireNext(until);
    }
    return true;
  }

  /** Fires the next timer that is due at or before `until`; false where there is none. */
  #fireNext(until: Instant): boolean {
    const timer = this.#timers.peek();
    if (timer === undefined || timer.dueAt > until) return false;
    this.#timers.take();
    if (timer.dueAt > this.#now) this.#now = timer.dueAt;
    timer.handler();
    return true;
  }
}

/** Chains of promises longer than this do not occur in our code. */
const PROMISE_TURNS = 20;

async function settlePromises(): Promise<void> {
  for (let turn = 0; turn < PROMISE_TURNS; turn += 1) {
    // oxlint-disable-next-line no-await-in-loop
    await Promise.resolve();
  }
}
