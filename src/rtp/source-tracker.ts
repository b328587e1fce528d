import { elapsedMs, type Instant } from "../environment/index.ts";
import type { RtpPacket } from "./packet.ts";
import { SequenceTracker, sequenceDistance } from "./sequence.ts";

/** Beyond these steps a sequence number belongs to another sequence (RFC 3550 A.1, widened). */
const MAX_DROPOUT = 3000;
const MAX_MISORDER = 300;
/** So long, packets of the sequence before are stragglers and do not bring it back. */
const STRAGGLER_MS = 1000;
const WINDOW_PACKETS = 1024;

interface FormerSource {
  readonly ssrc: number;
  readonly highest: number;
  readonly endedAt: Instant;
}

/**
 * Follows one sender over changes of SSRC and restarts of its sequence. Unlike
 * `ReceptionStatistics` it believes a new sequence at once: waiting for proof would cost a frame.
 */
export class SourceTracker {
  readonly sequences: SequenceTracker = new SequenceTracker(WINDOW_PACKETS);
  #ssrc: number | undefined;
  #former: FormerSource | undefined;

  /** Where a packet belongs. */
  classify(packet: RtpPacket, now: Instant): "current" | "new" | "straggler" {
    const { highest } = this.sequences;
    if (packet.ssrc === this.#ssrc && highest !== undefined) {
      const step = this.sequences.extend(packet.sequenceNumber) - highest;
      if (step < MAX_DROPOUT && step > -MAX_MISORDER) return "current";
    }
    return this.#isStraggler(packet, now) ? "straggler" : "new";
  }

  /** Goes over to the source of a packet that was classified as new. */
  begin(packet: RtpPacket, now: Instant): void {
    const { highest } = this.sequences;
    if (this.#ssrc !== undefined && highest !== undefined) {
      this.#former = { ssrc: this.#ssrc, highest: highest & 0xffff, endedAt: now };
    }
    this.#ssrc = packet.ssrc;
    this.sequences.reset();
  }

  #isStraggler(packet: RtpPacket, now: Instant): boolean {
    const former = this.#former;
    if (former === undefined || former.ssrc !== packet.ssrc) return false;
    if (elapsedMs(former.endedAt, now) >= STRAGGLER_MS) return false;
    return Math.abs(sequenceDistance(former.highest, packet.sequenceNumber)) < MAX_MISORDER;
  }
}
