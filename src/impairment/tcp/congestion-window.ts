import { elapsedMs, type Instant } from "../../environment/index.ts";
import type { CongestionAvoidance } from "./congestion-avoidance.ts";

/** RFC 6928. */
const INITIAL_SEGMENTS = 10;

/** What is under way, in segments. */
export interface UnderWay {
  readonly inFlight: number;
  /** Sent and not acknowledged by number. */
  readonly packetsOut: number;
}

/**
 * How many segments may be under way (net/ipv4/tcp_input.c, tcp_output.c): slow start, congestion
 * avoidance, proportional rate reduction (RFC 6937bis), and what an application that does not use
 * its window loses of it.
 */
export class CongestionWindow {
  segments: number = INITIAL_SEGMENTS;
  threshold: number = Number.POSITIVE_INFINITY;
  readonly #avoidance: CongestionAvoidance;
  #grown = 0;
  #before = { segments: 0, threshold: 0 };
  #reduction: { delivered: number; sent: number } | undefined;
  #isLimited = false;
  #mostOut = 0;
  #usageEndsAt = 0;
  #mostUsed = 0;
  #usedAt: Instant;

  constructor(avoidance: CongestionAvoidance, now: Instant) {
    this.#avoidance = avoidance;
    this.#usedAt = now;
  }

  get isReducing(): boolean {
    return this.#reduction !== undefined;
  }

  get #isInSlowStart(): boolean {
    return this.segments < this.threshold;
  }

  /** Where the threshold stands while the window is between it and its old size. */
  get #presentThreshold(): number {
    if (this.isReducing) return this.threshold;
    const unbounded = Math.floor((3 * this.segments) / 4);
    return Math.max(this.threshold, unbounded);
  }

  /** A loss was found: the window shrinks as acknowledgements come. */
  beginReduction(): void {
    this.#remember();
    this.#reduction = { delivered: 0, sent: 0 };
    this.#grown = 0;
    this.threshold = this.#avoidance.reduce(this.segments);
  }

  endReduction(now: Instant): void {
    if (this.#reduction === undefined) return;
    this.segments = this.threshold;
    this.#reduction = undefined;
    this.#usedAt = now;
  }

  /** By the retransmission timeout; `isFirst` in this window of data. */
  handleTimeout(isFirst: boolean, inFlight: number, now: Instant): void {
    if (isFirst) {
      this.#remember();
      this.threshold = this.#avoidance.reduce(this.segments);
      this.#avoidance.handleTimeout();
    }
    this.#reduction = undefined;
    this.segments = inFlight + 1;
    this.#grown = 0;
    this.#usedAt = now;
  }

  /** The reduction was made for nothing. */
  undo(now: Instant): void {
    this.#reduction = undefined;
    this.segments = Math.max(this.segments, this.#before.segments);
    this.threshold = Math.max(this.threshold, this.#before.threshold);
    this.#usedAt = now;
  }

  /** RFC 6937bis: so many segments were delivered, and perhaps more lost. */
  reduce(
    delivered: number,
    inFlight: number,
    { advanced, lostMore }: { readonly advanced: boolean; readonly lostMore: boolean },
  ): void {
    const reduction = this.#reduction;
    if (reduction === undefined || delivered <= 0) return;
    reduction.delivered += delivered;
    const room = this.threshold - inFlight;
    let allowed: number;
    if (room < 0) {
      const share = (this.threshold * reduction.delivered) / this.#before.segments;
      allowed = Math.ceil(share) - reduction.sent;
    } else {
      allowed = Math.max(reduction.delivered - reduction.sent, delivered);
      if (advanced && !lostMore) allowed += 1;
      allowed = Math.min(room, allowed);
    }
    // What was lost can always be sent again at once.
    this.segments = inFlight + Math.max(allowed, reduction.sent > 0 ? 0 : 1);
  }

  handleSent(segments: number): void {
    if (this.#reduction !== undefined) this.#reduction.sent += segments;
  }

  /** Grows by what was acknowledged, where the application makes use of the window. */
  grow(acknowledged: number, now: Instant): void {
    const isUsed = this.#isLimited || (this.#isInSlowStart && this.segments < 2 * this.#mostOut);
    if (!isUsed || acknowledged <= 0) return;
    let rest = acknowledged;
    if (this.#isInSlowStart) {
      const grown = Math.min(this.segments + rest, this.threshold);
      rest -= grown - this.segments;
      this.segments = grown;
      if (rest <= 0) return;
    }
    const perGrowth = this.#avoidance.segmentsPerGrowth(this.segments, rest, now);
    if (this.#grown >= perGrowth) {
      this.#grown = 0;
      this.segments += 1;
    }
    this.#grown += rest;
    const growth = Math.floor(this.#grown / perGrowth);
    this.#grown -= growth * perGrowth;
    this.segments += growth;
  }

  /** After an attempt to send; `isOpen` where no loss is being recovered from. */
  handleUse(
    { inFlight, packetsOut }: UnderWay,
    stream: { readonly acknowledged: number; readonly sent: number },
    { now, timeoutMs, isOpen }: { now: Instant; timeoutMs: number; isOpen: boolean },
  ): void {
    const isLimited = inFlight >= this.segments;
    const isNewRound = stream.acknowledged >= this.#usageEndsAt;
    if (isNewRound || isLimited || (!this.#isLimited && packetsOut > this.#mostOut)) {
      this.#isLimited = isLimited;
      this.#mostOut = packetsOut;
      this.#usageEndsAt = stream.sent;
    }
    if (this.#isLimited || (this.#isInSlowStart && this.segments < 2 * this.#mostOut)) {
      this.#mostUsed = 0;
      this.#usedAt = now;
      return;
    }
    this.#mostUsed = Math.max(this.#mostUsed, packetsOut);
    if (elapsedMs(this.#usedAt, now) >= timeoutMs) this.#giveUnusedBack(now, isOpen);
  }

  /** Nothing was sent for longer than a timeout (RFC 2861). */
  restart(idleMs: number, timeoutMs: number, now: Instant): void {
    const least = Math.min(INITIAL_SEGMENTS, this.segments);
    this.threshold = this.#presentThreshold;
    for (let rest = idleMs - timeoutMs; rest > 0 && this.segments > least; rest -= timeoutMs) {
      this.segments = Math.floor(this.segments / 2);
    }
    this.segments = Math.max(this.segments, least);
    this.#usedAt = now;
    this.#mostUsed = 0;
  }

  #giveUnusedBack(now: Instant, isOpen: boolean): void {
    this.#usedAt = now;
    if (!isOpen) return;
    const used = Math.max(this.#mostUsed, INITIAL_SEGMENTS);
    this.#mostUsed = 0;
    if (used >= this.segments) return;
    this.threshold = this.#presentThreshold;
    this.segments = Math.floor((this.segments + used) / 2);
  }

  #remember(): void {
    this.#before = { segments: this.segments, threshold: this.#presentThreshold };
  }
}
