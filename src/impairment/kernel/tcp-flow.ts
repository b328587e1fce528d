import type { Instant } from "../../environment/index.ts";
import type { TcpSegment } from "./tcp-segment.ts";

/** Bytes that have become readable at the receiver: they, and all before them, are there. */
export interface InOrder {
  /** When the first of them was offered to the link for the first time. */
  readonly offeredAt: Instant;
  /** When it was written by its program, where that is known: it may have waited in the sender. */
  readonly writtenAt: Instant | undefined;
  /** Whether the segment that completed them had been sent before. */
  readonly wasSentAgain: boolean;
}

interface Piece {
  readonly end: number;
  readonly offeredAt: Instant;
  isSentAgain: boolean;
}

/**
 * One direction of one TCP connection, seen from the network: which bytes were sent when for the
 * first time, and when they have arrived with all before them. Positions count from the SYN, modulo
 * 2³²: a connection of more than 4 GB is not followed to its end.
 */
export class TcpFlow {
  readonly #start: number;
  /** Sent, and not readable at the receiver yet; in order. */
  readonly #pieces: Piece[] = [];
  /** Arrived beyond a gap; in order, apart from each other. */
  #islands: { readonly from: number; readonly to: number }[] = [];
  /** What programs wrote and is not readable yet, by its end; in order. */
  readonly #writes: { readonly end: number; readonly at: Instant }[] = [];
  #highest = 0;
  #frontier = 0;

  /** @param syn is the first segment of the connection in this direction. */
  constructor(syn: TcpSegment) {
    this.#start = (syn.sequence + 1) >>> 0;
  }

  /** Whether a SYN is the one that it began with, sent again. */
  isOf(syn: TcpSegment): boolean {
    return this.#start === (syn.sequence + 1) >>> 0;
  }

  /** A program wrote, to the connection's byte `end`; where it comes too late it is of no use. */
  handleWritten(end: number, at: Instant): void {
    const last = this.#writes.at(-1);
    if (end > this.#frontier && end > (last?.end ?? 0)) this.#writes.push({ end, at });
  }

  handleOffered(segment: TcpSegment, now: Instant): void {
    const from = this.#position(segment);
    const end = from + segment.dataBytes;
    if (from < this.#highest) {
      for (const piece of this.#pieces)
        if (piece.end > from) piece.isSentAgain ||= piece.end <= end;
    }
    if (end <= this.#highest) return;
    this.#highest = end;
    this.#pieces.push({ end, offeredAt: now, isSentAgain: false });
  }

  /** A segment has arrived; says what became readable by it. */
  handleArrived(segment: TcpSegment): InOrder | undefined {
    const from = this.#position(segment);
    this.#land(from, from + segment.dataBytes);
    const [first] = this.#islands;
    if (first === undefined || first.from > this.#frontier) return undefined;
    this.#islands.shift();
    if (first.to <= this.#frontier) return undefined;
    const [readable] = this.#pieces;
    // All that ends before the first new byte went when that became the frontier.
    const writtenAt = this.#writes[0]?.at;
    this.#frontier = first.to;
    const isAll = (end: number): boolean => end <= this.#frontier;
    while (this.#pieces[0] !== undefined && isAll(this.#pieces[0].end)) this.#pieces.shift();
    while (this.#writes[0] !== undefined && isAll(this.#writes[0].end)) this.#writes.shift();
    if (readable === undefined) return undefined;
    return { offeredAt: readable.offeredAt, writtenAt, wasSentAgain: readable.isSentAgain };
  }

  #position({ sequence }: TcpSegment): number {
    return (sequence - this.#start) >>> 0;
  }

  /** Joins what has arrived with what lies beside it. */
  #land(from: number, to: number): void {
    let joined = { from, to };
    const apart = this.#islands.filter((island) => {
      if (island.to < joined.from || island.from > joined.to) return true;
      joined = { from: Math.min(island.from, joined.from), to: Math.max(island.to, joined.to) };
      return false;
    });
    this.#islands = [...apart, joined].toSorted((a, b) => a.from - b.from);
  }
}
