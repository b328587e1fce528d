import { type Clock, type Instant, instant, type Timer } from "../environment/index.ts";

/**
 * What a host's timer may be early by (`Clock.setTimer`); what is due within that time is served in
 * the same turn.
 */
const EARLY_MS_MAX = 0.5;

/** A place on the wheel; `cancel` takes it off. */
export interface WheelSlot {
  cancel(): void;
}

interface Slot extends WheelSlot {
  dueAt: Instant;
  /** Index in the heap; negative once it is off the wheel. */
  index: number;
  readonly serve: (now: Instant) => Instant;
}

/**
 * The frame deadlines of all calls of one thread, served in their order by one timer: 500 calls
 * have 25,000 deadlines a second, and a timer object for each would be most of their garbage.
 *
 * Deadlines are absolute. A slot that is served says when it is due again, so that nothing drifts.
 */
export class FrameWheel {
  readonly #clock: Clock;
  /** A binary heap by `dueAt`. */
  readonly #heap: Slot[] = [];
  #timer: Timer | undefined;
  #timerDueAt = Number.POSITIVE_INFINITY;
  #isServing = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Slots on the wheel. */
  get size(): number {
    return this.#heap.length;
  }

  /** @param serve is called when it is due, and returns when it is due next. */
  add(dueAt: Instant, serve: (now: Instant) => Instant): WheelSlot {
    const slot: Slot = { dueAt, index: this.#heap.length, serve, cancel: () => this.#remove(slot) };
    this.#heap.push(slot);
    this.#raise(slot);
    this.#arm();
    return slot;
  }

  #remove(slot: Slot): void {
    if (slot.index < 0) return;
    const last = this.#heap.pop() as Slot;
    if (last !== slot) {
      this.#place(last, slot.index);
      this.#raise(last);
      this.#lower(last);
    }
    slot.index = -1;
    if (this.#heap.length === 0) this.#disarm();
  }

  /** Serves what is due. The clock is read anew for each slot: a call's work takes time, too. */
  readonly #serve = (): void => {
    this.#timerDueAt = Number.POSITIVE_INFINITY;
    this.#isServing = true;
    // Slots that fell behind meanwhile have their turn after the sockets had theirs.
    let turns = this.#heap.length;
    for (; turns > 0; turns -= 1) {
      const slot = this.#heap[0];
      const now = this.#clock.now();
      if (slot === undefined || slot.dueAt - now > EARLY_MS_MAX) break;
      const next = slot.serve(now);
      if (slot.index < 0) continue;
      slot.dueAt = next;
      this.#lower(slot);
    }
    this.#isServing = false;
    this.#arm();
  };

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || this.#isServing || this.#timerDueAt <= first.dueAt) return;
    this.#timer?.cancel();
    this.#timerDueAt = first.dueAt;
    this.#timer = this.#clock.setTimer(instant(first.dueAt), this.#serve);
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerDueAt = Number.POSITIVE_INFINITY;
  }

  #raise(slot: Slot): void {
    while (slot.index > 0) {
      const parent = this.#heap[(slot.index - 1) >> 1] as Slot;
      if (parent.dueAt <= slot.dueAt) return;
      this.#swap(slot, parent);
    }
  }

  #lower(slot: Slot): void {
    for (;;) {
      const left = this.#heap[2 * slot.index + 1];
      const right = this.#heap[2 * slot.index + 2];
      const least = right !== undefined && right.dueAt < (left as Slot).dueAt ? right : left;
      if (least === undefined || least.dueAt >= slot.dueAt) return;
      this.#swap(slot, least);
    }
  }

  #swap(one: Slot, other: Slot): void {
    const { index } = one;
    this.#place(one, other.index);
    this.#place(other, index);
  }

  #place(slot: Slot, index: number): void {
    this.#heap[index] = slot;
    slot.index = index;
  }
}
