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
  /** Of packets for which `handlePacket` is told no other. */
  readonly clockRateHz: number;
  /**
   * A digit whose end never came is over when so long nothing of it was heard; default 120. It is
   * longer where the sender's packets are far apart: three and a half of their intervals.
   */
  readonly endTimeoutMs?: number;
}

/** A digit that was received whole, or as much of it as came. */
export interface ReceivedDigit {
  readonly digit: string;
  /** As the sender said in the packet that says most; all segments together. */
  readonly durationMs: number;
  /** Power of the tone as the sender said, −63 to 0. */
  readonly volumeDbm0: number;
  /** Arrival of the first packet of it that came. */
  readonly startedAt: Instant;
  /** Arrival of the first end packet; where none came, of the last packet. */
  readonly endedAt: Instant;
}

/** Where timestamps can be compared with each other: one source on one clock. */
interface EventStream {
  readonly ssrc: number;
  readonly clockRateHz: number;
  /** The newest event (of a long one the newest segment), which may go on or be over. */
  newest: SeenEvent | undefined;
}

interface SeenEvent {
  readonly code: number;
  readonly timestamp: number;
  /** Its end packet came, so that no segment can follow. */
  isEnded: boolean;
}

interface CurrentDigit {
  readonly digit: string;
  readonly clockRateHz: number;
  readonly startedAt: Instant;
  /** Ticks of the segments before (RFC 4733 §2.5.1.3). */
  ticksBefore: number;
  durationTicks: number;
  volume: number;
  /** From packet to packet, as far as the durations tell. */
  intervalTicks: number;
  lastArrivalAt: Instant;
}

const DEFAULT_END_TIMEOUT_MS = 120;
/** Two packets may be lost in a row without ending a digit. */
const END_TIMEOUT_INTERVALS = 3.5;
/** Where the first packets of a digit were lost, its first duration says too much. */
const MAX_INTERVAL_MS = 100;
/** A segment may end a packet or two short of the greatest duration. */
const SEGMENT_TOLERANCE_MS = 200;
/** A step back of the timestamp by more than this is another timestamp base, not reordering. */
const MAX_REORDERING_MS = 10_000;

/**
 * Puts digits together from telephone-event packets (RFC 4733 §2.5.2).
 *
 * The RTP timestamp names the event: packets with the same one belong together, so that any one
 * packet of a digit is enough to receive it. Events that are not digits are ignored, and so is
 * audio that overlaps: it has another payload type and is none of the receiver's business.
 */
export class DigitReceiver {
  readonly #clockRateHz: number;
  readonly #endTimeoutMs: number;
  readonly #digits: ReceivedDigit[] = [];
  #current: CurrentDigit | undefined;
  #stream: EventStream | undefined;
  /** The stream before: repetitions of its last digit may come after the change. */
  #previousStream: EventStream | undefined;

  constructor(options: DigitReceiverOptions) {
    this.#clockRateHz = options.clockRateHz;
    this.#endTimeoutMs = options.endTimeoutMs ?? DEFAULT_END_TIMEOUT_MS;
  }

  /** When the current digit counts as over if nothing more of it comes. */
  get nextTimeout(): Instant | undefined {
    const current = this.#current;
    if (current === undefined) return undefined;
    const intervalMs = Math.min(MAX_INTERVAL_MS, ticksToMs(current, current.intervalTicks));
    const timeoutMs = Math.max(this.#endTimeoutMs, END_TIMEOUT_INTERVALS * intervalMs);
    return after(current.lastArrivalAt, timeoutMs);
  }

  /** Ends a digit whose end did not come. */
  handleTimeout(now: Instant): void {
    const timeout = this.nextTimeout;
    if (timeout !== undefined && now >= timeout) this.#endCurrent(undefined);
  }

  /**
   * Takes one packet of a telephone-event payload type.
   *
   * @param clockRateHz of its payload type, where several were negotiated.
   */
  handlePacket(packet: RtpPacket, now: Instant, clockRateHz: number = this.#clockRateHz): void {
    // RFC 4733 §2.5.1.5: further events in one packet follow each other without a gap.
    let { timestamp } = packet;
    for (let offset = 0; offset < packet.payload.length; offset += TELEPHONE_EVENT_BYTES) {
      const event = decodeTelephoneEvent(packet.payload, offset);
      if (event === undefined) return;
      const stream = this.#streamOf(packet.ssrc, clockRateHz, timestamp);
      if (stream !== undefined) this.#handleEvent(stream, event, timestamp, now);
      timestamp = (timestamp + event.durationTicks) >>> 0;
    }
  }

  /** Removes and returns the oldest digit that is over. */
  takeDigit(): ReceivedDigit | undefined {
    return this.#digits.shift();
  }

  /** The stream of an event; `undefined` for stragglers of the stream before. */
  #streamOf(ssrc: number, clockRateHz: number, timestamp: number): EventStream | undefined {
    if (isStream(this.#stream, ssrc, clockRateHz)) return this.#stream;
    const previous = this.#previousStream;
    if (isStream(previous, ssrc, clockRateHz) && isPast(previous, timestamp)) return undefined;
    this.#endCurrent(undefined);
    this.#previousStream = this.#stream;
    this.#stream = { ssrc, clockRateHz, newest: undefined };
    return this.#stream;
  }

  // oxlint-disable-next-line max-params
  #handleEvent(stream: EventStream, event: TelephoneEvent, timestamp: number, now: Instant): void {
    const digit = digitOfCode(event.code);
    if (digit === undefined) return;
    const { newest } = stream;
    const step = newest === undefined ? undefined : timestampDistance(newest.timestamp, timestamp);
    if (step !== 0) {
      if (isPast(stream, timestamp)) return;
      const segmentStep = isNextSegment(stream, event.code, step) ? step : undefined;
      stream.newest = { code: event.code, timestamp, isEnded: false };
      if (segmentStep === undefined) this.#begin(digit, stream.clockRateHz, now);
      else if (this.#current !== undefined) nextSegment(this.#current, segmentStep);
    }
    this.#update(stream, event, now);
  }

  #begin(digit: string, clockRateHz: number, now: Instant): void {
    this.#endCurrent(undefined);
    this.#current = {
      digit,
      clockRateHz,
      startedAt: now,
      ticksBefore: 0,
      durationTicks: -1,
      volume: 0,
      intervalTicks: MAX_EVENT_TICKS,
      lastArrivalAt: now,
    };
  }

  /** What a packet says of the newest event; repetitions after its end change nothing. */
  #update(stream: EventStream, event: TelephoneEvent, now: Instant): void {
    if (stream.newest !== undefined) stream.newest.isEnded ||= event.isEnd;
    const current = this.#current;
    if (current === undefined) return;
    current.lastArrivalAt = now;
    // Reordered updates must not shorten the digit.
    if (event.durationTicks > current.durationTicks) {
      const stepTicks = event.durationTicks - Math.max(0, current.durationTicks);
      // A full segment ends before the packet's time, so that its last step is too short.
      const isStep = stepTicks > 0 && event.durationTicks < MAX_EVENT_TICKS;
      if (isStep) current.intervalTicks = Math.min(current.intervalTicks, stepTicks);
      current.durationTicks = event.durationTicks;
      current.volume = event.volume;
    }
    if (event.isEnd) this.#endCurrent(now);
  }

  #endCurrent(endedAt: Instant | undefined): void {
    const current = this.#current;
    if (current === undefined) return;
    this.#current = undefined;
    this.#digits.push({
      digit: current.digit,
      durationMs: ticksToMs(current, current.ticksBefore + current.durationTicks),
      volumeDbm0: current.volume === 0 ? 0 : -current.volume,
      startedAt: current.startedAt,
      endedAt: endedAt ?? current.lastArrivalAt,
    });
  }
}

function isStream(
  stream: EventStream | undefined,
  ssrc: number,
  clockRateHz: number,
): stream is EventStream {
  return stream?.ssrc === ssrc && stream.clockRateHz === clockRateHz;
}

/** The newest event's, or older (reordered), but not so old that the clock was set anew. */
function isPast({ newest, clockRateHz }: EventStream, timestamp: number): boolean {
  if (newest === undefined) return false;
  const step = timestampDistance(newest.timestamp, timestamp);
  return step <= 0 && step > (-MAX_REORDERING_MS * clockRateHz) / 1000;
}

/** RFC 4733 §2.5.1.3: a segment begins where the one before ended, which had no end packet. */
function isNextSegment(
  { newest, clockRateHz }: EventStream,
  code: number,
  step: number | undefined,
): step is number {
  if (newest === undefined || step === undefined) return false;
  if (newest.code !== code || newest.isEnded) return false;
  const toleranceTicks = (SEGMENT_TOLERANCE_MS * clockRateHz) / 1000;
  return step >= MAX_EVENT_TICKS - toleranceTicks && step <= MAX_EVENT_TICKS + 1;
}

function nextSegment(current: CurrentDigit, stepTicks: number): void {
  current.ticksBefore += stepTicks;
  current.durationTicks = -1;
}

function ticksToMs({ clockRateHz }: CurrentDigit, ticks: number): number {
  return (ticks * 1000) / clockRateHz;
}
