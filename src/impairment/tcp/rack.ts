import { elapsedMs, type Instant, instant } from "../../environment/index.ts";
import type { RetransmissionQueue } from "./retransmission-queue.ts";
import type { SentSegment } from "./segment.ts";

/** The number of duplicates that tells of a loss (RFC 5681 §3.2). */
const DUPLICATE_THRESHOLD = 3;
/** Recoveries for which a wider reordering window is kept. */
const PERSISTS = 16;

/** What decides how long a segment may be overtaken. */
interface Surroundings {
  readonly leastMs: number;
  readonly smoothedMs: number;
  readonly isRecovering: boolean;
}

/**
 * Loss detection by time (RFC 8985 RACK, net/ipv4/tcp_recovery.c): a segment is lost where one that
 * was sent later has arrived, and a reordering window has passed since.
 */
export class Rack {
  /** News since losses were last looked for. */
  hasAdvanced = false;
  #latestSentAt: Instant = instant(Number.NEGATIVE_INFINITY);
  #latestEnd = 0;
  #roundTripMs = 0;
  #hasSeenReordering = false;
  #steps = 1;
  #persists = 0;
  #duplicateRoundEndsAt = 0;

  /** A segment has arrived, as an acknowledgement says. */
  handleArrival(segment: SentSegment, now: Instant, leastMs: number): void {
    const ms = elapsedMs(segment.sentAt, now);
    // It was the original that arrived, not what was sent again.
    if (segment.wasSentAgain && ms < leastMs) return;
    this.hasAdvanced = true;
    this.#roundTripMs = ms;
    if (!isAfter(segment, this.#latestSentAt, this.#latestEnd)) return;
    this.#latestSentAt = segment.sentAt;
    this.#latestEnd = segment.end;
  }

  handleReordering(): void {
    this.#hasSeenReordering = true;
  }

  /** Something arrived twice: it was taken for lost too soon. Once a round trip. */
  handleDuplicate(acknowledged: number, sent: number): void {
    if (acknowledged < this.#duplicateRoundEndsAt) return;
    this.#duplicateRoundEndsAt = sent;
    this.#steps = Math.min(255, this.#steps + 1);
    this.#persists = PERSISTS;
  }

  handleRecovered(): void {
    this.#persists -= 1;
    if (this.#persists <= 0) this.#steps = 1;
  }

  /**
   * Marks what is lost by now.
   * @returns the ms after which to look again, where something may yet arrive.
   */
  detect(queue: RetransmissionQueue, now: Instant, around: Surroundings): number | undefined {
    this.hasAdvanced = false;
    const windowMs = this.#reorderingWindowMs(queue, around);
    let againMs: number | undefined;
    for (const segment of queue) {
      if (segment.isSacked || (segment.isLost && !segment.isSentAgain)) continue;
      if (isAfter(segment, this.#latestSentAt, this.#latestEnd)) continue;
      const remainingMs = this.remainingMs(segment, now, windowMs);
      if (remainingMs <= 0) queue.markLost(segment);
      else againMs = Math.max(againMs ?? 0, remainingMs);
    }
    return againMs;
  }

  /** How long it may still take. */
  remainingMs({ sentAt }: SentSegment, now: Instant, windowMs = 0): number {
    return this.#roundTripMs + windowMs - elapsedMs(sentAt, now);
  }

  #reorderingWindowMs(queue: RetransmissionQueue, around: Surroundings): number {
    const isEvident = around.isRecovering || queue.sackedCount >= DUPLICATE_THRESHOLD;
    if (!this.#hasSeenReordering && isEvident) return 0;
    return Math.min((around.leastMs / 4) * this.#steps, around.smoothedMs);
  }
}

/** Whether a segment was sent after another one; of those sent at once, the later in the stream. */
function isAfter(segment: SentSegment, sentAt: Instant, end: number): boolean {
  return segment.sentAt > sentAt || (segment.sentAt === sentAt && segment.end > end);
}
