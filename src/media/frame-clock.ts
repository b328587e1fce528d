import { after, elapsedMs, type Instant } from "../environment/index.ts";
import type { FramePhases } from "./frame-phases.ts";
import type { FrameWheel, WheelSlot } from "./frame-wheel.ts";

/** After a stall of the host longer than this, missed frames are skipped and counted, not sent. */
const CATCH_UP_FRAMES_MAX = 10;
/** What `Clock.setTimer` may be early by. */
const TIMER_EARLY_MS_MAX = 0.5;
/** A turn later than this may find datagrams that have come and have not been read. */
const BLIND_AFTER_MS = 20;

/** What happens at each deadline. */
export interface FrameHandler {
  /** What must not be late. */
  handleFrame(deadline: Instant): void;
  /**
   * The rest of the same frame: after the urgent part of other calls, before the next frame.
   * @param unreadSince is there where the host stood still before this turn: what came since then
   *   may lie unread in the sockets, whose turn is after ours, and is not missing.
   */
  finishFrame(deadline: Instant, unreadSince?: Instant): void;
  /** The host stood still: this frame is neither sent nor heard in time. */
  skipFrame(deadline: Instant, now: Instant): void;
  /** After the frames of one turn; the sockets have been read up to `readUntil`. */
  afterFrames(readUntil: Instant): void;
}

/**
 * One call's frame deadlines: absolute, counted from the first one, so that they neither drift nor
 * bunch. What came due while the host stood still is made up for, up to ten frames.
 */
export class FrameClock {
  readonly #handler: FrameHandler;
  readonly #phases: FramePhases;
  #slot: WheelSlot | undefined;
  #origin: Instant;
  #frameMs: number;
  #frames = 0;
  /** Of the frame whose rest is still to be done. */
  #unfinished: Instant | undefined;
  #servedAt: Instant;
  #unreadSince: Instant | undefined;

  constructor(
    wheel: FrameWheel,
    handler: FrameHandler,
    start: { readonly first: Instant; readonly frameMs: number },
  ) {
    this.#handler = handler;
    this.#phases = wheel.phases;
    this.#phases.claim(start.first, start.frameMs);
    this.#origin = start.first;
    this.#frameMs = start.frameMs;
    this.#servedAt = start.first;
    this.#slot = wheel.add(
      start.first,
      (now) => this.#serve(now),
      () => this.#finishTurn(),
    );
  }

  get isRunning(): boolean {
    return this.#slot !== undefined;
  }

  get frameMs(): number {
    return this.#frameMs;
  }

  /** Frames are of another length from the next deadline on. */
  set frameMs(frameMs: number) {
    this.#phases.release(this.#origin, this.#frameMs);
    this.#origin = this.#nextDeadline;
    this.#frames = 0;
    this.#frameMs = frameMs;
    this.#phases.claim(this.#origin, frameMs);
  }

  stop(): void {
    if (this.#slot === undefined) return;
    this.#slot.cancel();
    this.#slot = undefined;
    this.#phases.release(this.#origin, this.#frameMs);
  }

  get #nextDeadline(): Instant {
    return after(this.#origin, this.#frames * this.#frameMs);
  }

  /** Serves every deadline that has passed: normally one, more after a stall of the host. */
  #serve(now: Instant): Instant {
    const isBlind = elapsedMs(this.#servedAt, now) > this.#frameMs + BLIND_AFTER_MS;
    this.#unreadSince = isBlind ? this.#servedAt : undefined;
    let due = Math.floor((elapsedMs(this.#nextDeadline, now) + TIMER_EARLY_MS_MAX) / this.#frameMs);
    for (; due > CATCH_UP_FRAMES_MAX; due -= 1) {
      this.#handler.skipFrame(this.#nextDeadline, now);
      this.#frames += 1;
    }
    for (; due >= 0 && this.isRunning; due -= 1) {
      this.#finish();
      const deadline = this.#nextDeadline;
      this.#handler.handleFrame(deadline);
      this.#unfinished = deadline;
      this.#frames += 1;
    }
    this.#servedAt = now;
    return this.#nextDeadline;
  }

  #finishTurn(): void {
    this.#finish();
    if (this.isRunning) this.#handler.afterFrames(this.#unreadSince ?? this.#servedAt);
  }

  #finish(): void {
    const deadline = this.#unfinished;
    if (deadline === undefined) return;
    this.#unfinished = undefined;
    this.#handler.finishFrame(deadline, this.#unreadSince);
  }
}
