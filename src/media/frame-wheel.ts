import { type Clock, type Instant, instant, type Timer } from "../environment/index.ts";
import { FramePhases } from "./frame-phases.ts";

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
  /** Of two that are due at once the one that came first is served first, each time. */
  readonly order: number;
  /** Index in the heap; negative once it is off the wheel. */
  index: number;
  readonly serve: (now: Instant) => Instant;
  readonly finish: (() => void) | undefined;
}

/**
 * The frame deadlines of all calls of one thread, served in their order by one timer: 500 calls
 * have 25,000 deadlines a second, and a timer object for each would be most of their garbage.
 *
 * Deadlines are absolute. A slot that is served says when it is due again, so that nothing drifts.
 */
export class FrameWheel {
  /** Where new calls should have their deadlines. */
  readonly phases: FramePhases = new FramePhases();
  readonly #clock: Clock;
  /** A binary heap by `dueAt`. */
  readonly #heap: Slot[] = [];
  #timer: Timer | undefined;
  #timerDueAt = Number.POSITIVE_INFINITY;
  readonly #served: Slot[] = [];
  #isServing = false;
  #added = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Slots on the wheel. */
  get size(): number {
    return this.#heap.length;
  }

  /**
   * @param serve is called when it is due, and returns when it is due next.
   * @param finish is called after that, when all that were due then have been served: for what is
   *   not urgent. The same work for many calls in a row also finds its code in the cache.
   */
  add(dueAt: Instant, serve: (now: Instant) => Instant, finish?: () => void): WheelSlot {
    this.#added += 1;
    const slot: Slot = {
      dueAt,
      order: this.#added,
      index: this.#heap.length,
      serve,
      finish,
      cancel: () => this.#remove(slot),
    };
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

  readonly #serve = (): void => {
    this.#timerDueAt = Number.POSITIVE_INFINITY;
    this.#isServing = true;
    // Slots that fell behind meanwhile have their turn after the sockets had theirs.
    let turns = this.#heap.length;
    while (turns > 0) {
      const served = this.#serveDue(turns);
      if (served === 0) break;
      this.#finishServed();
      turns -= served;
    }
    this.#isServing = false;
    this.#arm();
  };

  /** Serves what is due, `turns` at most. The clock is read anew for each: work takes time, too. */
  #serveDue(turns: number): number {
    let count = 0;
    for (; count < turns; count += 1) {
      const slot = this.#heap[0];
      const now = this.#clock.now();
      if (slot === undefined || slot.dueAt - now > EARLY_MS_MAX) break;
      const next = slot.serve(now);
      if (slot.finish !== undefined) this.#served.push(slot);
      if (slot.index < 0) continue;
      slot.dueAt = next;
      this.#lower(slot);
    }
    return count;
  }

  #finishServed(): void {
    for (const slot of this.#served) {
      if (slot.index >= 0) slot.finish?.();
    }
    this.#served.length = 0;
  }

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
      if (isBefore(parent, slot)) return;
      this.#swap(slot, parent);
    }
  }

  #lower(slot: Slot): void {
    for (;;) {
      const left = this.#heap[2 * slot.index + 1];
      const right = this.#heap[2 * slot.index + 2];
      const least = right !== undefined && isBefore(right, left as Slot) ? right : left;
      if (least === undefined || isBefore(slot, least)) return;
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

function isBefore(one: Slot, other: Slot): boolean {
  return one.dueAt === other.dueAt ? one.order < other.order : one.dueAt < other.dueAt;
}
