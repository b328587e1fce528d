import type { Instant } from "../environment/index.ts";

/** Longer than a stall of our own that the pulls after it make up. */
const WINDOW_MS = 320;

/** The highest of what was seen in the present window and the one before. */
class RecentMaximum {
  #present = Number.NEGATIVE_INFINITY;
  #before = Number.NEGATIVE_INFINITY;

  get value(): number {
    return Math.max(this.#present, this.#before);
  }

  add(value: number): void {
    if (value > this.#present) this.#present = value;
  }

  nextWindow(): void {
    this.#before = this.#present;
    this.#present = Number.NEGATIVE_INFINITY;
  }

  shift(by: number): void {
    this.#present += by;
    this.#before += by;
  }
}

/**
 * The relation between the playout axis and time: when which tick is played, and when a pull takes
 * it, which is up to one pull earlier.
 *
 * It keeps the most that the newest pulls wanted, so that a pull that comes late (a stall of our
 * own, made up by the pulls after it) does not count as a delay of playout.
 */
export class PlayoutClock {
  readonly #ticksPerMs: number;
  readonly #played = new RecentMaximum();
  readonly #taken = new RecentMaximum();
  #windowBeganAt: Instant | undefined;
  /** Where on the axis the newest pull begins. */
  #pullBegin = 0;
  #pullTicks = 0;

  constructor(ticksPerMs: number) {
    this.#ticksPerMs = ticksPerMs;
  }

  /** Whether anything was pulled, or `begin` was called. */
  get isRunning(): boolean {
    return this.#windowBeganAt !== undefined;
  }

  /** The length of the newest pull. */
  get pullMs(): number {
    return this.#pullTicks / this.#ticksPerMs;
  }

  /** How long after its place on the axis (in ms) a tick is played. */
  get playedOffsetMs(): number {
    return -this.#played.value / this.#ticksPerMs;
  }

  /** How long after its place on the axis (in ms) a tick must be there at the soonest. */
  get takenOffsetMs(): number {
    return -this.#taken.value / this.#ticksPerMs;
  }

  /** Lets the axis run from here before the first pull. */
  begin(now: Instant, cursor: number): void {
    this.#windowBeganAt = now;
    this.#pullBegin = cursor;
    this.#played.add(cursor - now * this.#ticksPerMs);
  }

  /** A pull at `now`, of which `waitingTicks` are filled, wants `limitTicks` from `cursor` on. */
  noteTake(now: Instant, cursor: number, limitTicks: number, waitingTicks: number): void {
    if (this.#windowBeganAt === undefined || now - this.#windowBeganAt >= WINDOW_MS) {
      this.#windowBeganAt = now;
      this.#played.nextWindow();
      this.#taken.nextWindow();
    }
    this.#pullBegin = cursor - waitingTicks;
    this.#pullTicks = limitTicks + waitingTicks;
    const nowTicks = now * this.#ticksPerMs;
    this.#played.add(this.#pullBegin - nowTicks);
    this.#taken.add(cursor - nowTicks);
  }

  /** The axis was moved against time by so many ticks (negative: set back). */
  shift(ticks: number): void {
    this.#played.shift(ticks);
    this.#taken.shift(ticks);
    this.#pullBegin += ticks;
  }

  /** The position that is played at `at`. */
  positionAt(at: number): number {
    return this.#played.value + at * this.#ticksPerMs;
  }

  /** The first position not before `position` that a pull begins with. */
  onPull(position: number): number {
    if (this.#pullTicks === 0) return Math.ceil(position);
    // Forgives the rounding of instants.
    const pulls = Math.ceil((position - this.#pullBegin) / this.#pullTicks - 1e-6);
    return this.#pullBegin + pulls * this.#pullTicks;
  }
}
