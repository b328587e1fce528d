import { elapsedMs, type Instant } from "../environment/index.ts";
import type { RtpPacket } from "./packet.ts";
import { SequenceTracker, timestampDistance } from "./sequence.ts";

/** What was received so far, summed over all sources and restarts of the sender. */
export interface ReceptionReport {
  /** Packets that belong to a known source, duplicates included. */
  readonly received: number;
  /** Sequence numbers from the first to the highest, both included (RFC 3550 A.3). */
  readonly expected: number;
  /** Expected packets that did not come; a packet that comes late after all reduces it. */
  readonly lost: number;
  readonly duplicate: number;
  /** Packets whose sequence number was below the highest so far. */
  readonly outOfOrder: number;
  /** Packets far off the sequence, or of another source, that nothing confirmed. */
  readonly stray: number;
  /** How often the sender began a new sequence with the same SSRC. */
  readonly restarts: number;
  readonly ssrcChanges: number;
  /** RFC 3550 §6.4.1, after the newest packet. */
  readonly interarrivalJitterMs: number;
  /** The highest value that the estimate took. */
  readonly interarrivalJitterMsMax: number;
}

/** What came from the present source alone, as an RTCP report block has it (RFC 3550 §6.4.1). */
export interface SourceReception {
  readonly ssrc: number;
  /** Cycles and sequence number; only the low 32 bits are reported. */
  readonly extendedHighestSequenceNumber: number;
  readonly expected: number;
  /** Packets that came, duplicates and late ones included (RFC 3550 §6.4.1). */
  readonly received: number;
  readonly interarrivalJitterMs: number;
}

/** How to make `ReceptionStatistics`. */
export interface ReceptionStatisticsOptions {
  /** Of packets that come without a rate of their own. */
  readonly clockRateHz: number;
}

/** A jump ahead by more than this is a restart (RFC 3550 A.1). */
const MAX_DROPOUT = 3000;
/** A step back by more than this is a restart (RFC 3550 A.1). */
const MAX_MISORDER = 100;
/**
 * A transit time that changes by more than this is a new timestamp base, not jitter: gateways
 * rebase timestamps after a hold or a transfer. The RFC's formula would never forget it.
 */
const MAX_TRANSIT_STEP_MS = 3000;
/** A power of two beyond `MAX_MISORDER`. */
const WINDOW_PACKETS = 128;
/** Extended sequence numbers begin one cycle up. */
const FIRST_CYCLE = 0x1_0000;

/** The first packet of what may be a new source or a restarted sequence. */
interface Candidate {
  readonly ssrc: number;
  readonly sequenceNumber: number;
}

/**
 * Counts what arrives on one RTP flow (RFC 3550 A.1, A.3, A.8).
 *
 * Probation is simplified: the first packet makes the source valid, because only packets from the
 * negotiated peer come here. A restart or another SSRC is believed when two of its packets arrive
 * with none of the current source between them; until then they count as stray.
 */
export class ReceptionStatistics {
  readonly #clockRateHz: number;
  readonly #sequences = new SequenceTracker(WINDOW_PACKETS);
  #ssrc: number | undefined;
  #lowest = 0;
  #candidate: Candidate | undefined;
  #expectedBefore = 0;
  #receivedBefore = 0;
  #received = 0;
  #duplicate = 0;
  #outOfOrder = 0;
  #stray = 0;
  #restarts = 0;
  #ssrcChanges = 0;
  #previousArrivedAt: Instant | undefined;
  #previousTimestamp = 0;
  #previousClockRateHz = 0;
  #jitterMs = 0;
  #jitterMsMax = 0;

  constructor(options: ReceptionStatisticsOptions) {
    this.#clockRateHz = options.clockRateHz;
  }

  /**
   * Accounts for one packet, of whatever payload type, that arrived at `arrivedAt`. Timestamps of
   * two clock rates do not compare: where the rate changes, the jitter goes on with the next pair.
   */
  handlePacket(
    packet: RtpPacket,
    arrivedAt: Instant,
    clockRateHz: number = this.#clockRateHz,
  ): void {
    if (this.#ssrc === undefined) this.#beginSource(packet, packet.sequenceNumber);
    else if (!this.#belongs(packet)) {
      if (!this.#confirms(packet)) return this.#setAside(packet);
      this.#adopt(packet);
    }
    this.#candidate = undefined;
    if (this.#count(packet)) this.#updateJitter(packet, arrivedAt, clockRateHz);
  }

  /** The figures so far. */
  snapshot(): ReceptionReport {
    const expected = this.#expectedBefore + this.#expectedOfSource();
    return {
      received: this.#received,
      expected,
      lost: Math.max(0, expected - (this.#received - this.#duplicate)),
      duplicate: this.#duplicate,
      outOfOrder: this.#outOfOrder,
      stray: this.#stray,
      restarts: this.#restarts,
      ssrcChanges: this.#ssrcChanges,
      interarrivalJitterMs: this.#jitterMs,
      interarrivalJitterMsMax: this.#jitterMsMax,
    };
  }

  /** What came from the present source; `undefined` before the first packet. */
  get currentSource(): SourceReception | undefined {
    const { highest } = this.#sequences;
    if (this.#ssrc === undefined || highest === undefined) return undefined;
    return {
      ssrc: this.#ssrc,
      extendedHighestSequenceNumber: highest - FIRST_CYCLE,
      expected: this.#expectedOfSource(),
      received: this.#received - this.#receivedBefore,
      interarrivalJitterMs: this.#jitterMs,
    };
  }

  #belongs(packet: RtpPacket): boolean {
    if (packet.ssrc !== this.#ssrc) return false;
    const step = this.#sequences.extend(packet.sequenceNumber) - (this.#sequences.highest ?? 0);
    return step < MAX_DROPOUT && step >= -MAX_MISORDER;
  }

  /** Whether this packet shows that the one set aside was the first of a new sequence. */
  #confirms(packet: RtpPacket): boolean {
    if (this.#candidate?.ssrc !== packet.ssrc) return false;
    const step = (packet.sequenceNumber - this.#candidate.sequenceNumber) & 0xffff;
    return step > 0 && step < MAX_MISORDER;
  }

  #setAside(packet: RtpPacket): void {
    this.#stray += 1;
    this.#candidate = { ssrc: packet.ssrc, sequenceNumber: packet.sequenceNumber };
  }

  /** Goes over to the candidate, whose first packet was no stray after all. */
  #adopt(packet: RtpPacket): void {
    if (packet.ssrc === this.#ssrc) this.#restarts += 1;
    else this.#ssrcChanges += 1;
    this.#expectedBefore += this.#expectedOfSource();
    this.#receivedBefore = this.#received;
    const first = this.#candidate?.sequenceNumber ?? packet.sequenceNumber;
    this.#beginSource(packet, first);
    this.#sequences.mark(this.#lowest);
    this.#stray -= 1;
    this.#received += 1;
  }

  #beginSource(packet: RtpPacket, firstSequenceNumber: number): void {
    this.#ssrc = packet.ssrc;
    this.#sequences.reset();
    this.#lowest = this.#sequences.extend(firstSequenceNumber);
    this.#previousArrivedAt = undefined;
  }

  #expectedOfSource(): number {
    const highest = this.#sequences.highest;
    return highest === undefined ? 0 : highest - this.#lowest + 1;
  }

  /** Counts a packet of the current source; false for a duplicate. */
  #count(packet: RtpPacket): boolean {
    const extended = this.#sequences.extend(packet.sequenceNumber);
    const isBehind = extended < (this.#sequences.highest ?? extended);
    this.#received += 1;
    if (!this.#sequences.mark(extended)) {
      this.#duplicate += 1;
      return false;
    }
    if (isBehind) this.#outOfOrder += 1;
    // Reordering may put the very first packet second; RFC 3550 A.1 would report -1 lost.
    this.#lowest = Math.min(this.#lowest, extended);
    return true;
  }

  /** RFC 3550 A.8. */
  #updateJitter(packet: RtpPacket, arrivedAt: Instant, clockRateHz: number): void {
    const previousArrivedAt = this.#previousArrivedAt;
    const tickStep = timestampDistance(this.#previousTimestamp, packet.timestamp);
    // Updates of one telephone event share a timestamp (RFC 4733 §2.5.1.2) and say nothing here.
    if (previousArrivedAt !== undefined && tickStep === 0) return;
    this.#previousArrivedAt = arrivedAt;
    this.#previousTimestamp = packet.timestamp;
    const isSameClock = clockRateHz === this.#previousClockRateHz;
    this.#previousClockRateHz = clockRateHz;
    if (previousArrivedAt === undefined || !isSameClock) return;

    const transitStepMs = elapsedMs(previousArrivedAt, arrivedAt) - (tickStep * 1000) / clockRateHz;
    if (Math.abs(transitStepMs) > MAX_TRANSIT_STEP_MS) return;
    this.#jitterMs += (Math.abs(transitStepMs) - this.#jitterMs) / 16;
    this.#jitterMsMax = Math.max(this.#jitterMsMax, this.#jitterMs);
  }
}
