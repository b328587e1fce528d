import type { Instant } from "../environment/index.ts";
import { type DelayBounds, DelayTarget } from "./delay-target.ts";
import { PlayoutClock } from "./playout-clock.ts";
import { TransitWatch } from "./transit-watch.ts";

/** How long packets wait so that later ones come in time. */
export type PlayoutDelay =
  | { readonly kind: "fixed"; readonly delayMs: number }
  /** Follows the jitter between the bounds; default 40 to 200 ms. */
  | { readonly kind: "adaptive"; readonly minMs?: number; readonly maxMs?: number };

const MIN_MS = 40;
const MAX_MS = 200;
/** In silence nobody hears a move; below this it is not worth one. */
const SILENT_TOLERANCE_MS = 2;
/** Within audio, what is taken may be wanted so much before its delay is over … */
const EARLY_TOLERANCE_MS = 5;
/** … and may be played so much after the delay and one pull, before playout is moved. */
const LATE_TOLERANCE_MS = 15;
/** A move within audio goes on until playout is so near to where it should be. */
const SETTLED_MS = 2;
/** A baseline that falls at once by more than this is another timestamp base, not less jitter. */
const REBASE_MS = 150;

/**
 * Where playout is and where it should be, as delays of the least delayed packet: from its arrival
 * until it is played.
 *
 * A pull takes a packet up to one pull before it is played, by how the two happen to lie. So
 * playout may be anywhere from the target to the target + one pull in silence, where it begins
 * with a pull; and is moved to the target + one pull in audio, so that whatever the move does to
 * the phase no packet is taken before its delay is over.
 */
export class PlayoutPoint {
  readonly clock: PlayoutClock;
  readonly isAdaptive: boolean;
  /** The longest delay that a packet may ever get. */
  readonly maxMs: number;
  readonly #ticksPerMs: number;
  /** Moves with the jitter, or stays. */
  readonly #target: DelayTarget | undefined;
  readonly #fixedMs: number;
  readonly #transit = new TransitWatch();
  #packetMs = 0;
  #isMoving = false;

  constructor(delay: PlayoutDelay, ticksPerMs: number) {
    this.#ticksPerMs = ticksPerMs;
    this.clock = new PlayoutClock(ticksPerMs);
    this.isAdaptive = delay.kind === "adaptive";
    if (delay.kind === "adaptive") {
      const bounds = boundsOf(delay);
      this.#target = new DelayTarget(bounds);
      this.#fixedMs = 0;
      this.maxMs = bounds.maxMs;
    } else {
      this.#fixedMs = delay.delayMs;
      this.maxMs = delay.delayMs;
    }
  }

  /** What the delay should be. */
  get targetMs(): number {
    return this.#target?.targetMs ?? this.#fixedMs;
  }

  /** The least that playout begins a talkspurt with: a pull takes packets of all its length at once. */
  get beginningMs(): number {
    return this.targetMs + Math.max(0, this.clock.pullMs - this.#packetMs);
  }

  /** What it is. */
  get actualMs(): number {
    return this.clock.playedOffsetMs - this.#transit.baselineMs;
  }

  /** See `TransitWatch`. */
  get driftPpm(): number | undefined {
    return this.#transit.driftPpm;
  }

  /** How much later than the least delayed one a packet is that arrives at `now`. */
  delayOf(position: number, now: Instant): number {
    return now - position / this.#ticksPerMs - this.#transit.baselineMs;
  }

  /** A new timestamp base begins. */
  rebase(): void {
    this.#transit.reset();
    this.#isMoving = false;
  }

  /** Packets are so long from now on. */
  notePacketTicks(durationTicks: number): void {
    this.#packetMs = durationTicks / this.#ticksPerMs;
  }

  /** Takes note of an arrival; returns its `delayOf`, 0 or more. */
  observe(position: number, now: Instant): number {
    const before = this.#transit.baselineMs;
    this.#transit.observe(now - position / this.#ticksPerMs, now);
    const rise = this.#transit.baselineMs - before;
    const delayMs = Math.max(0, this.delayOf(position, now));
    const isJitter = Number.isFinite(rise) && rise > -REBASE_MS;
    if (isJitter && rise !== 0) this.#target?.shift(rise);
    this.#target?.observe(delayMs, now);
    return delayMs;
  }

  /** A packet with this delay came too late. */
  noteTooLate(delayMs: number): void {
    this.#target?.raise(delayMs);
  }

  /** By how much playout should be moved where it is silent: + later, − earlier; mostly 0. */
  get silentMoveMs(): number {
    const missingMs = this.beginningMs - this.actualMs;
    if (!Number.isFinite(missingMs)) return 0;
    const isRight =
      missingMs <= SILENT_TOLERANCE_MS && -missingMs <= this.clock.pullMs + SILENT_TOLERANCE_MS;
    return isRight ? 0 : missingMs;
  }

  /** By how much playout may be moved in audio so quiet that nobody hears it; mostly 0. */
  get quietMoveMs(): number {
    const excessMs = this.actualMs - this.beginningMs - this.clock.pullMs;
    return Number.isFinite(excessMs) && excessMs > SILENT_TOLERANCE_MS ? -excessMs : 0;
  }

  /** By how much playout should be moved within audio: + later, − earlier; mostly 0. */
  get audibleMoveMs(): number {
    const { takenOffsetMs, pullMs } = this.clock;
    const moveMs = this.targetMs + pullMs - this.actualMs;
    if (!Number.isFinite(moveMs)) return 0;
    if (this.#isMoving) this.#isMoving = Math.abs(moveMs) > SETTLED_MS;
    else {
      const takenMs = takenOffsetMs - this.#transit.baselineMs;
      const latestMs = this.beginningMs + pullMs + LATE_TOLERANCE_MS;
      this.#isMoving = takenMs < this.targetMs - EARLY_TOLERANCE_MS || this.actualMs > latestMs;
    }
    return this.#isMoving ? moveMs : 0;
  }
}

/** The delay that playout begins with. */
export function startingDelayMs(delay: PlayoutDelay): number {
  if (delay.kind === "fixed") return delay.delayMs;
  return boundsOf(delay).minMs;
}

function boundsOf(delay: { readonly minMs?: number; readonly maxMs?: number }): DelayBounds {
  const minMs = delay.minMs ?? MIN_MS;
  return { minMs, maxMs: Math.max(minMs, delay.maxMs ?? MAX_MS) };
}
