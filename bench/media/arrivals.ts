/** When the packets of RTP streams came, and how far that is from an absolute schedule. */
import { quantile } from "../../src/measure/index.ts";

/** RTP ticks per millisecond of G.711. */
const TICKS_PER_MS = 8;

/** Deviations from the schedule, over all packets of all streams. */
export interface Deviations {
  readonly streams: number;
  readonly packets: number;
  /** Gaps in the sequence numbers. */
  readonly missing: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** The arrivals of one window, stream by stream. */
export class Arrivals {
  readonly #streams = new Map<
    string,
    { offsetsMs: number[]; first: Packet; last: Packet; count: number }
  >();

  add(stream: string, packet: Packet): void {
    const known = this.#streams.get(stream);
    if (known === undefined) {
      this.#streams.set(stream, { offsetsMs: [0], first: packet, last: packet, count: 1 });
      return;
    }
    const ticks = (packet.timestamp - known.first.timestamp) | 0;
    known.offsetsMs.push(packet.atMs - known.first.atMs - ticks / TICKS_PER_MS);
    known.last = packet;
    known.count += 1;
  }

  /**
   * A stream's schedule is its RTP timestamps at their nominal rate, moved by the median of how
   * late its packets are to it. Nothing else is fitted: a sender that drifts shows it.
   */
  deviations(): Deviations {
    const all: number[] = [];
    let missing = 0;
    for (const { offsetsMs, first, last, count } of this.#streams.values()) {
      const middle = quantile(
        offsetsMs.toSorted((a, b) => a - b),
        0.5,
      );
      for (const offset of offsetsMs) all.push(Math.abs(offset - middle));
      missing += Math.max(0, ((last.sequence - first.sequence) & 0xffff) + 1 - count);
    }
    all.sort((a, b) => a - b);
    return {
      streams: this.#streams.size,
      packets: all.length,
      missing,
      p50Ms: quantile(all, 0.5),
      p95Ms: quantile(all, 0.95),
      p99Ms: quantile(all, 0.99),
      maxMs: all.at(-1) ?? Number.NaN,
    };
  }
}

/** One RTP packet, as far as it matters here. */
export interface Packet {
  readonly atMs: number;
  readonly timestamp: number;
  readonly sequence: number;
}
