import { timestampDistance } from "./sequence.ts";

/** Where the timestamps of one run of packets lie on the playout axis. */
interface Anchor {
  timestamp: number;
  position: number;
  /** The extended sequence number of the packet that it was laid by. */
  sequence: number;
  /** Of its source: packets before it are its own, come out of order. */
  isFirst: boolean;
  isLaid: boolean;
}

/** Before the distance of two 32-bit timestamps becomes ambiguous, the anchor goes along. */
const FOLLOW_TICKS = 2 ** 28;

/**
 * Lays RTP timestamps on an axis that never wraps. The axis goes on over new timestamp bases; the
 * base before the present one is kept for packets that come out of order.
 */
export class TimestampAxis {
  #present: Anchor = emptyAnchor();
  #former: Anchor = emptyAnchor();

  /** Whether timestamps have a place. */
  get isLaid(): boolean {
    return this.#present.isLaid;
  }

  /** Forgets all: another source begins. */
  reset(): void {
    this.#present.isLaid = false;
    this.#former.isLaid = false;
  }

  /** From the packet with this sequence number on, `timestamp` lies at `position`. */
  lay(timestamp: number, position: number, sequence: number): void {
    const anchor = this.#former;
    this.#former = this.#present;
    this.#present = anchor;
    anchor.isFirst = !this.#former.isLaid;
    anchor.timestamp = timestamp;
    anchor.position = position;
    anchor.sequence = sequence;
    anchor.isLaid = true;
  }

  /** Whether a packet is of the present base, not of the one before. */
  isPresent(sequence: number): boolean {
    return this.#present.isLaid && (this.#present.isFirst || sequence >= this.#present.sequence);
  }

  /** Where a timestamp of the present base lies. */
  position(timestamp: number): number {
    const anchor = this.#present;
    const position = anchor.position + timestampDistance(anchor.timestamp, timestamp);
    if (position - anchor.position > FOLLOW_TICKS) {
      anchor.position = position;
      anchor.timestamp = timestamp;
    }
    return position;
  }

  /**
   * Where a straggler of the base before lies; `undefined` where it has no place any more, since
   * a pause may be played shorter than it was sent.
   */
  formerPosition(timestamp: number, sequence: number): number | undefined {
    const { isLaid, isFirst, sequence: first, position, timestamp: base } = this.#former;
    if (!isLaid || (sequence < first && !isFirst)) return undefined;
    const result = position + timestampDistance(base, timestamp);
    return result < this.#present.position ? result : undefined;
  }
}

function emptyAnchor(): Anchor {
  return { timestamp: 0, position: 0, sequence: 0, isFirst: false, isLaid: false };
}
