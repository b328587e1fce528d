import type { Instant } from "../environment/index.ts";

/** A timer that waits in a heap, or did. */
export interface HeapTimer {
  readonly dueAt: Instant;
  /** Timers of one instant fire in the order in which they were set. */
  readonly sequence: number;
  readonly handler: () => void;
  /** It waits no longer: it was taken, or cancelled. */
  isDone: boolean;
}

/** Timers in order of due time, then of setting. Cancelled ones stay until they come up. */
export class TimerHeap {
  readonly #timers: HeapTimer[] = [];
  #cancelled = 0;

  /** Timers that wait. */
  get size(): number {
    return this.#timers.length - this.#cancelled;
  }

  /** The first timer, which stays. */
  peek(): HeapTimer | undefined {
    while (this.#timers[0]?.isDone === true) {
      this.#removeFirst();
      this.#cancelled -= 1;
    }
    return this.#timers[0];
  }

  /** Takes the first timer. */
  take(): HeapTimer | undefined {
    const first = this.peek();
    if (first === undefined) return undefined;
    first.isDone = true;
    this.#removeFirst();
    return first;
  }

  add(timer: HeapTimer): void {
    const timers = this.#timers;
    let index = timers.length;
    timers.push(timer);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = timers[parent] as HeapTimer;
      if (isBefore(above, timer)) break;
      timers[index] = above;
      index = parent;
    }
    timers[index] = timer;
  }

  /** A timer of this heap shall not fire; nothing happens to one that was taken. */
  cancel(timer: HeapTimer): void {
    if (timer.isDone) return;
    timer.isDone = true;
    this.#cancelled += 1;
  }

  #removeFirst(): void {
    const timers = this.#timers;
    const last = timers.pop() as HeapTimer;
    const count = timers.length;
    if (count === 0) return;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= count) break;
      const right = child + 1;
      if (right < count && isBefore(timers[right] as HeapTimer, timers[child] as HeapTimer)) {
        child = right;
      }
      if (isBefore(last, timers[child] as HeapTimer)) break;
      timers[index] = timers[child] as HeapTimer;
      index = child;
    }
    timers[index] = last;
  }
}

function isBefore(left: HeapTimer, right: HeapTimer): boolean {
  return left.dueAt === right.dueAt ? left.sequence < right.sequence : left.dueAt < right.dueAt;
}
