import type { SourceReception } from "../reception-statistics.ts";
import type { HeldMark } from "./peer-marks.ts";
import type { ReportBlock } from "./rtcp-packet.ts";

/** Makes the report blocks about what is received: what is new since the previous one. */
export class ReceptionBlocks {
  #ssrc: number | undefined;
  #expectedBefore = 0;
  #receivedBefore = 0;

  /** Whether anything came since the previous block: only then there is one (RFC 3550 §6.4). */
  isNew(source: SourceReception): boolean {
    return source.received > (source.ssrc === this.#ssrc ? this.#receivedBefore : 0);
  }

  /** The next block about this source. */
  next(source: SourceReception, held: HeldMark, clockRateHz: number): ReportBlock {
    if (source.ssrc !== this.#ssrc) {
      this.#ssrc = source.ssrc;
      this.#expectedBefore = 0;
      this.#receivedBefore = 0;
    }
    const expected = source.expected - this.#expectedBefore;
    const lost = expected - (source.received - this.#receivedBefore);
    this.#expectedBefore = source.expected;
    this.#receivedBefore = source.received;
    return {
      ssrc: source.ssrc,
      fractionLost: expected > 0 && lost > 0 ? lost / expected : 0,
      cumulativeLost: source.expected - source.received,
      extendedHighestSequenceNumber: source.extendedHighestSequenceNumber >>> 0,
      jitterTicks: (source.interarrivalJitterMs * clockRateHz) / 1000,
      lastSenderReport: held.mark,
      delaySinceLastSenderReport: held.heldFor,
    };
  }
}
