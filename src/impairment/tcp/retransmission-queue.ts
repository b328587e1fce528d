import type { Instant } from "../../environment/index.ts";
import type { ByteRange, DataSegment, SentSegment } from "./segment.ts";

/** What was sent and is not acknowledged by number, in the order of the stream; counts in segments. */
export class RetransmissionQueue {
  readonly #segments: SentSegment[] = [];
  #sacked = 0;
  #lost = 0;
  #sentAgain = 0;
  /** The end of the highest segment that was acknowledged selectively. */
  highestSacked = 0;

  get head(): SentSegment | undefined {
    return this.#segments[0];
  }

  get last(): SentSegment | undefined {
    return this.#segments.at(-1);
  }

  get count(): number {
    return this.#segments.length;
  }

  get sackedCount(): number {
    return this.#sacked;
  }

  get lostCount(): number {
    return this.#lost;
  }

  get sentAgainCount(): number {
    return this.#sentAgain;
  }

  /** RFC 6675's pipe, as Linux counts it. */
  get inFlight(): number {
    return this.#segments.length - this.#sacked - this.#lost + this.#sentAgain;
  }

  [Symbol.iterator](): Iterator<SentSegment> {
    return this.#segments[Symbol.iterator]();
  }

  add({ begin, end, sentAt, isPushed }: DataSegment): void {
    this.#segments.push({
      begin,
      end,
      sentAt,
      isPushed,
      isSacked: false,
      isLost: false,
      isSentAgain: false,
      wasSentAgain: false,
    });
  }

  /** Takes away what is acknowledged by number. */
  acknowledge(next: number): readonly SentSegment[] {
    let count = 0;
    for (const { end } of this.#segments) {
      if (end > next) break;
      count += 1;
    }
    const taken = this.#segments.splice(0, count);
    for (const segment of taken) {
      if (segment.isSacked) this.#sacked -= 1;
      this.#forgetLoss(segment);
    }
    return taken;
  }

  /** Marks what was acknowledged selectively; returns what is so for the first time. */
  sack(ranges: readonly ByteRange[]): readonly SentSegment[] {
    if (ranges.length === 0) return [];
    const fresh = this.#segments.filter(
      ({ isSacked, begin, end }) =>
        !isSacked && ranges.some((range) => range.begin <= begin && end <= range.end),
    );
    for (const segment of fresh) {
      this.#forgetLoss(segment);
      segment.isSacked = true;
      this.#sacked += 1;
      this.highestSacked = Math.max(this.highestSacked, segment.end);
    }
    return fresh;
  }

  /** Takes a segment for lost; once more, where it was sent again. */
  markLost(segment: SentSegment): void {
    if (segment.isSacked) return;
    if (segment.isSentAgain) this.#sentAgain -= 1;
    segment.isSentAgain = false;
    if (!segment.isLost) this.#lost += 1;
    segment.isLost = true;
  }

  markSentAgain(segment: SentSegment, at: Instant): void {
    if (!segment.isSentAgain) this.#sentAgain += 1;
    segment.isSentAgain = true;
    segment.wasSentAgain = true;
    segment.sentAt = at;
  }

  /** None was lost after all. */
  unmarkLost(): void {
    for (const segment of this.#segments) segment.isLost = false;
    this.#lost = 0;
  }

  #forgetLoss(segment: SentSegment): void {
    if (segment.isLost) this.#lost -= 1;
    if (segment.isSentAgain) this.#sentAgain -= 1;
    segment.isLost = false;
    segment.isSentAgain = false;
  }
}
