import { assert, UsageError } from "../environment/index.ts";
import {
  codeOfDigit,
  encodeTelephoneEvent,
  isDigit,
  MAX_EVENT_TICKS,
  TELEPHONE_EVENT_BYTES,
} from "./telephone-event.ts";

/** The part of a `DigitSender` that a renegotiation may change. */
export interface DigitFormat {
  /** Of the telephone-event payload type: the same as the audio's (RFC 4733 §2.1). */
  readonly clockRateHz: number;
  /** The negotiated payload type, repeated in each packet for convenience. */
  readonly payloadType: number;
  /** From one `takePacket` to the next, in ticks of the clock; default 20 ms. */
  readonly frameTicks?: number;
}

/** How to make a `DigitSender`. */
export interface DigitSenderOptions extends DigitFormat {
  /** Of each tone, 40 to 600,000; default 100. Rounded up to whole frames. */
  readonly durationMs?: number;
  /** From the end of one tone to the begin of the next; default 60. Rounded up to whole frames. */
  readonly gapMs?: number;
  /** Power of each tone in dBm0, −63 to 0; default −10. */
  readonly volumeDbm0?: number;
}

/** A telephone-event packet, to be sent in place of audio. */
export interface DigitPacket {
  /** Set on the first packet of an event only (RFC 4733 §2.5.1.1). */
  readonly marker: boolean;
  readonly payloadType: number;
  /** When the event, or this segment of it, began: the same in all its packets. */
  readonly timestamp: number;
  /** Valid until the next call of the sender. */
  readonly payload: Uint8Array;
  readonly digit: string;
  /** Of the tone up to here, earlier segments included. */
  readonly durationMs: number;
  /** `end` also on the two repetitions of the last packet. */
  readonly event: "start" | "continue" | "end";
}

const DEFAULT_FRAME_MS = 20;
const DEFAULT_DURATION_MS = 100;
const DEFAULT_GAP_MS = 60;
const DEFAULT_VOLUME_DBM0 = -10;
/** Shorter tones are not recognised reliably (ITU-T Q.24). */
const MIN_DURATION_MS = 40;
/** Nobody holds a key for longer; such a number is a mistake in its unit. */
const MAX_DURATION_MS = 600_000;
/** The last packet is sent three times in all (RFC 4733 §2.5.1.4). */
const END_PACKETS = 3;
/** Against fractions such as 39.999… frames. */
const ROUNDING = 1e-6;

interface WaitingDigit {
  readonly digit: string;
  readonly durationMs: number;
}

interface CurrentDigit {
  readonly digit: string;
  /** A digit is sent in one format from begin to end. */
  readonly clockRateHz: number;
  readonly timestamp: number;
  readonly totalTicks: number;
  payloadType: number;
  elapsedTicks: number;
  /** Ticks of the segments before the present one. */
  segmentTicks: number;
  endPackets: number;
}

/**
 * Sends digits as telephone events (RFC 4733 §2.5.1): one packet per frame with growing duration,
 * then the end packet three times in all. It replaces the audio of these frames.
 *
 * Durations are those of whole frames: 50 ms are sent as 60 in frames of 20 ms. The repetitions of
 * the end fall into the gap, which is two frames at least. A tone longer than 16 bits can say goes
 * on in a new segment, whose timestamp is where the one before ended (§2.5.1.3).
 */
export class DigitSender {
  readonly #durationMs: number;
  readonly #gapMs: number;
  readonly #volume: number;
  readonly #payload = new Uint8Array(TELEPHONE_EVENT_BYTES);
  readonly #waiting: WaitingDigit[] = [];
  #clockRateHz = 0;
  #payloadType = 0;
  #frameMs = DEFAULT_FRAME_MS;
  #current: CurrentDigit | undefined;
  /** What has to pass before the next digit may begin. */
  #remainingGapMs = 0;

  /** @throws UsageError ERR_DIGIT_DURATION_OUT_OF_RANGE, ERR_DIGIT_VOLUME_OUT_OF_RANGE. */
  constructor(options: DigitSenderOptions) {
    const { durationMs = DEFAULT_DURATION_MS, gapMs = DEFAULT_GAP_MS } = options;
    const { volumeDbm0 = DEFAULT_VOLUME_DBM0 } = options;
    this.#durationMs = checkedDuration(durationMs);
    this.#gapMs = gapMs;
    this.#volume = Math.round(-checkedVolume(volumeDbm0));
    this.reconfigure(options);
  }

  /** Nothing is being sent and nothing waits; a gap after the last digit may still run. */
  get isIdle(): boolean {
    return this.#current === undefined && this.#waiting.length === 0;
  }

  /**
   * Takes over what was renegotiated; what waits stays queued. A digit that is being sent goes on
   * with another payload type if only that has changed; with another clock rate it is finished in
   * the format in which it began, because its event cannot be told from a new one otherwise.
   */
  reconfigure(format: DigitFormat): void {
    const { clockRateHz, payloadType } = format;
    const frameTicks = format.frameTicks ?? (clockRateHz * DEFAULT_FRAME_MS) / 1000;
    assert(frameTicks > 0 && frameTicks <= MAX_EVENT_TICKS, "a frame fits into one event");
    this.#clockRateHz = clockRateHz;
    this.#payloadType = payloadType;
    this.#frameMs = (frameTicks * 1000) / clockRateHz;
    if (this.#current?.clockRateHz === clockRateHz) this.#current.payloadType = payloadType;
  }

  /**
   * Appends digits to what is to be sent.
   * @throws UsageError ERR_DIGIT_UNKNOWN, ERR_DIGIT_DURATION_OUT_OF_RANGE; then none is queued.
   */
  queue(digits: string, options: { readonly durationMs?: number } = {}): void {
    const durationMs = checkedDuration(options.durationMs ?? this.#durationMs);
    const position = Array.from(digits).findIndex((character) => !isDigit(character));
    if (position >= 0) {
      throw new UsageError(
        "ERR_DIGIT_UNKNOWN",
        `Character ${position + 1} of the digits to send is not a DTMF digit. Use 0-9, *, #, A-D.`,
        { context: { position } },
      );
    }
    for (const digit of digits.toUpperCase()) this.#waiting.push({ digit, durationMs });
  }

  /**
   * The packet of this frame, or `undefined` when audio is to be sent. To be called once per frame.
   *
   * @param timestamp the RTP timestamp that audio of this frame would have.
   */
  takePacket(timestamp: number): DigitPacket | undefined {
    const current = this.#current ?? this.#beginDigit(timestamp);
    if (current === undefined) return undefined;

    const isFirst = current.elapsedTicks === 0;
    const durationTicks = this.#advance(current);
    const isEnd = current.elapsedTicks === current.totalTicks;
    const code = codeOfDigit(current.digit);
    const isSegmentOver = durationTicks > MAX_EVENT_TICKS;
    encodeTelephoneEvent(
      {
        code,
        isEnd: isEnd && !isSegmentOver,
        volume: this.#volume,
        durationTicks: Math.min(durationTicks, MAX_EVENT_TICKS),
      },
      this.#payload,
    );
    const packet: DigitPacket = {
      marker: isFirst,
      payloadType: current.payloadType,
      timestamp: (current.timestamp + current.segmentTicks) >>> 0,
      payload: this.#payload,
      digit: current.digit,
      durationMs: (current.elapsedTicks * 1000) / current.clockRateHz,
      event: eventName(isEnd && !isSegmentOver, isFirst),
    };
    if (isSegmentOver) current.segmentTicks += MAX_EVENT_TICKS;
    else if (isEnd) this.#countEndPacket(current);
    return packet;
  }

  /** One frame on. The ticks of the present segment; more than 16 bits where it is complete. */
  #advance(current: CurrentDigit): number {
    const frameTicks = Math.round((this.#frameMs * current.clockRateHz) / 1000);
    current.elapsedTicks = Math.min(current.elapsedTicks + frameTicks, current.totalTicks);
    return current.elapsedTicks - current.segmentTicks;
  }

  #countEndPacket(current: CurrentDigit): void {
    current.endPackets += 1;
    if (current.endPackets < END_PACKETS) return;
    this.#current = undefined;
    this.#remainingGapMs = this.#gapMs - (END_PACKETS - 1) * this.#frameMs;
  }

  /** Begins the next digit if there is one and the gap is over. */
  #beginDigit(timestamp: number): CurrentDigit | undefined {
    if (this.#remainingGapMs > ROUNDING) {
      this.#remainingGapMs -= this.#frameMs;
      return undefined;
    }
    const next = this.#waiting.shift();
    if (next === undefined) return undefined;
    const frames = Math.ceil(next.durationMs / this.#frameMs - ROUNDING);
    this.#current = {
      digit: next.digit,
      clockRateHz: this.#clockRateHz,
      timestamp,
      totalTicks: Math.round((frames * this.#frameMs * this.#clockRateHz) / 1000),
      payloadType: this.#payloadType,
      elapsedTicks: 0,
      segmentTicks: 0,
      endPackets: 0,
    };
    return this.#current;
  }
}

function checkedDuration(durationMs: number): number {
  if (durationMs >= MIN_DURATION_MS && durationMs <= MAX_DURATION_MS) return durationMs;
  throw new UsageError(
    "ERR_DIGIT_DURATION_OUT_OF_RANGE",
    `A digit cannot last ${durationMs} ms. Choose ${MIN_DURATION_MS} to ${MAX_DURATION_MS} ms.`,
    { context: { durationMs, minDurationMs: MIN_DURATION_MS, maxDurationMs: MAX_DURATION_MS } },
  );
}

function checkedVolume(volumeDbm0: number): number {
  if (volumeDbm0 >= -63 && volumeDbm0 <= 0) return volumeDbm0;
  throw new UsageError(
    "ERR_DIGIT_VOLUME_OUT_OF_RANGE",
    `A telephone event cannot say a volume of ${volumeDbm0} dBm0. Choose -63 to 0.`,
    { context: { volumeDbm0 } },
  );
}

function eventName(isEnd: boolean, isFirst: boolean): DigitPacket["event"] {
  if (isEnd) return "end";
  return isFirst ? "start" : "continue";
}
