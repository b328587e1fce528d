import { after, type Instant } from "../environment/index.ts";
import type { RtpPacket } from "./packet.ts";
import { timestampDistance } from "./sequence.ts";
import {
  decodeTelephoneEvent,
  digitOfCode,
  MAX_EVENT_TICKS,
  TELEPHONE_EVENT_BYTES,
  type TelephoneEvent,
} from "./telephone-event.ts";

/** How to make a `DigitReceiver`. */
export interface DigitReceiverOptions {
  readonly clockRateHz: number;
  /** A digit whose end never came is over when so long nothing of it was heard; default 120. */
  readonly endTimeoutMs?: number;
}

/** A digit that was received whole, or as much of it as came. */
export interface ReceivedDigit {
  readonly digit: string;
  /** As the sender said in the newest packet that came. */
  readonly durationMs: number;
  /** Arrival of the first packet of it that came. */
  readonly startedAt: Instant;
  /** Arrival of the first end packet; where none came, of the last packet. */
  readonly endedAt: Instant;
}

interface CurrentDigit {
  readonly code: number;
  readonly digit: string;
  readonly startedAt: Instant;
  /** Of the present segment. */
  timestamp: number;
  /** Ticks of the segments before (RFC 4733 §2.5.1.3). */
  ticksBefore: number;
  durationTicks: number;
  lastArrivalAt: Instant;
}

const DEFAULT_END_TIMEOUT_MS = 120;
/** A segment may end a few packets short of the greatest duration. */
const SEGMENT_TOLERANCE_TICKS = 1600;
/** A step back of the timestamp by more than this is another timestamp base, not reordering. */
const MAX_REORDERING_MS = 10_000;

/**
 * Puts digits together from telephone-event packets (RFC 4733 §2.5.2).
 *
 * The RTP timestamp names the event: packets with the same one belong together, so that any one
 * packet of a digit is enough to receive it. Events that are not digits are ignored.
 */
export class DigitReceiver {
  readonly #ticksPerMs: number;
  readonly #endTimeoutMs: number;
  readonly #digits: ReceivedDigit[] = [];
  #current: CurrentDigit | undefined;
  #ssrc: number | undefined;
  /** The timestamp of the newest event that is over: its repetitions are ignored. */
  #endedTimestamp: number | undefined;

  constructor(options: DigitReceiverOptions) {
    this.#ticksPerMs = options.clockRateHz / 1000;
    this.#endTimeoutMs = options.endTimeoutMs ?? DEFAULT_END_TIMEOUT_MS;
  }

  /** When the current digit counts as over if nothing more of it comes. */
  get nextTimeout(): Instant | undefined {
    const current = this.#current;
    return current === undefined ? undefined : after(current.lastArrivalAt, this.#endTimeoutMs);
  }

  /** Ends a digit whose end did not come. */
  handleTimeout(now: Instant): void {
    const timeout = this.nextTimeout;
    if (timeout !== undefined && now >= timeout) this.#endCurrent(undefined);
  }

  /** Takes one packet of the telephone-event payload type. */
  handlePacket(packet: RtpPacket, now: Instant): void {
    if (packet.ssrc !== this.#ssrc) {
      this.#endCurrent(undefined);
      this.#ssrc = packet.ssrc;
      this.#endedTimestamp = undefined;
    }
    // RFC 4733 §2.5.1.5: further events in one packet follow each other without a gap.
    let { timestamp } = packet;
    for (let offset = 0; offset < packet.payload.length; offset += TELEPHONE_EVENT_BYTES) {
      const event = decodeTelephoneEvent(packet.payload, offset);
      if (event === undefined) return;
      this.#handleEvent(event, timestamp, now);
      timestamp = (timestamp + event.durationTicks) >>> 0;
    }
  }

  /** Removes and returns the oldest digit that is over. */
  takeDigit(): ReceivedDigit | undefined {
    return this.#digits.shift();
  }

  #handleEvent(event: TelephoneEvent, timestamp: number, now: Instant): void {
    const digit = digitOfCode(event.code);
    if (digit === undefined || this.#isOver(timestamp)) return;
    const current = this.#current;
    if (current === undefined || !this.#continues(current, event, timestamp)) {
      this.#endCurrent(undefined);
      this.#current = {
        code: event.code,
        digit,
        startedAt: now,
        timestamp,
        ticksBefore: 0,
        durationTicks: event.durationTicks,
        lastArrivalAt: now,
      };
    } else current.lastArrivalAt = now;
    if (event.isEnd) this.#endCurrent(now);
  }

  /** Whether the event belongs to the current digit; if so, it is updated. */
  #continues(current: CurrentDigit, event: TelephoneEvent, timestamp: number): boolean {
    const step = timestampDistance(current.timestamp, timestamp);
    const isNextSegment =
      event.code === current.code &&
      step >= MAX_EVENT_TICKS - SEGMENT_TOLERANCE_TICKS &&
      step <= MAX_EVENT_TICKS + 1;
    if (step !== 0 && !isNextSegment) return false;
    if (isNextSegment) {
      current.ticksBefore += step;
      current.timestamp = timestamp;
      current.durationTicks = 0;
    }
    // Reordered updates must not shorten the digit.
    current.durationTicks = Math.max(current.durationTicks, event.durationTicks);
    return true;
  }

  /** Packets of a digit that is over (repetitions), or older than the newest one (reordered). */
  #isOver(timestamp: number): boolean {
    const newest = this.#current?.timestamp ?? this.#endedTimestamp;
    if (newest === undefined) return false;
    const step = timestampDistance(newest, timestamp);
    if (this.#current !== undefined && step === 0) return false;
    return step <= 0 && step > -MAX_REORDERING_MS * this.#ticksPerMs;
  }

  #endCurrent(endedAt: Instant | undefined): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    this.#endedTimestamp = current.timestamp;
    this.#digits.push({
      digit: current.digit,
      durationMs: (current.ticksBefore + current.durationTicks) / this.#ticksPerMs,
      startedAt: current.startedAt,
      endedAt: endedAt ?? current.lastArrivalAt,
    });
  }
}
