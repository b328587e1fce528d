import { elapsedMs, type Instant } from "../environment/index.ts";
import type { RtpPacket } from "./packet.ts";
import { SequenceTracker, sequenceDistance } from "./sequence.ts";

/** Beyond these steps a sequence number belongs to another sequence (RFC 3550 A.1, widened). */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 300;
/** So long, packets of the sequence before are stragglers and do not bring it back. */
const STRAGGLER_MS = 1000;
const WINDOW_PACKETS = 1024;

/** How a packet stands to those of its source before it. */
export type ArrivalOrder = "inOrder" | "reordered" | "duplicate";

/** The sequence numbers of one source, from its first to its highest. */
class SourceSequence {
  readonly tracker: SequenceTracker = new SequenceTracker(WINDOW_PACKETS);
  ssrc = 0;
  endedAt: Instant | undefined;
  #lowest = 0;
  #unique = 0;

  begin(packet: RtpPacket): void {
    this.tracker.reset();
    this.ssrc = packet.ssrc;
    this.endedAt = undefined;
    this.#unique = 0;
    this.#lowest = this.tracker.extend(packet.sequenceNumber);
  }

  /** From the lowest number to the highest, both included (RFC 3550 A.3). */
  get expected(): number {
    const { highest } = this.tracker;
    return highest === undefined ? 0 : highest - this.#lowest + 1;
  }

  /** Different numbers that came. */
  get unique(): number {
    return this.#unique;
  }

  note(extended: number): ArrivalOrder {
    const isBehind = extended < (this.tracker.highest ?? extended);
    if (!this.tracker.mark(extended)) return "duplicate";
    this.#unique += 1;
    // Reordering may put the very first packet second; RFC 3550 A.1 would report -1 lost.
    this.#lowest = Math.min(this.#lowest, extended);
    return isBehind ? "reordered" : "inOrder";
  }
}

/**
 * Follows one sender over changes of SSRC and restarts of its sequence, and sums what was expected
 * of it. Unlike `ReceptionStatistics` it believes a new sequence at once: waiting for proof would
 * cost a frame.
 */
export class SourceTracker {
  #current = new SourceSequence();
  #former = new SourceSequence();
  #hasSource = false;
  /** Of the sources before the former one, and of packets that belong to none. */
  #expectedBefore = 0;
  #uniqueBefore = 0;

  /** The sequence numbers of the present source. */
  get sequences(): SequenceTracker {
    return this.#current.tracker;
  }

  /** Packets expected so far, over all sources (RFC 3550 A.3). */
  get expected(): number {
    return this.#expectedBefore + this.#former.expected + this.#current.expected;
  }

  /** Expected packets that have not come. */
  get lost(): number {
    return this.expected - (this.#uniqueBefore + this.#former.unique + this.#current.unique);
  }

  /** Whether a packet has another SSRC than the source that is followed. */
  isForeign(packet: RtpPacket): boolean {
    return this.#hasSource && packet.ssrc !== this.#current.ssrc;
  }

  /** Where a packet belongs. */
  classify(packet: RtpPacket, now: Instant): "current" | "new" | "straggler" {
    const { highest } = this.sequences;
    if (highest !== undefined && packet.ssrc === this.#current.ssrc) {
      const step = this.sequences.extend(packet.sequenceNumber) - highest;
      if (step < MAX_DROPOUT && step > -MAX_MISORDER) return "current";
    }
    return this.#isStraggler(packet, now) ? "straggler" : "new";
  }

  /** Goes over to the source of a packet that was classified as new. */
  begin(packet: RtpPacket, now: Instant): void {
    const gone = this.#former;
    if (this.#hasSource) {
      this.#expectedBefore += gone.expected;
      this.#uniqueBefore += gone.unique;
      this.#former = this.#current;
      this.#former.endedAt = now;
      this.#current = gone;
    }
    this.#hasSource = true;
    this.#current.begin(packet);
  }

  /** Notes a packet of the present source by its extended number. */
  note(extended: number): ArrivalOrder {
    return this.#current.note(extended);
  }

  /** Notes a packet that was classified as a straggler. */
  noteStraggler(packet: RtpPacket): ArrivalOrder {
    return this.#former.note(this.#former.tracker.extend(packet.sequenceNumber));
  }

  /** Notes a packet of which nothing but that it came is known. */
  noteUnattached(): void {
    this.#expectedBefore += 1;
    this.#uniqueBefore += 1;
  }

  #isStraggler(packet: RtpPacket, now: Instant): boolean {
    const { tracker, ssrc, endedAt } = this.#former;
    if (endedAt === undefined || tracker.highest === undefined || ssrc !== packet.ssrc)
      return false;
    if (elapsedMs(endedAt, now) >= STRAGGLER_MS) return false;
    const distance = sequenceDistance(tracker.highest & 0xffff, packet.sequenceNumber);
    return Math.abs(distance) < MAX_MISORDER;
  }
}
