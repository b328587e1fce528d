import { UsageError } from "../environment/index.ts";
import {
  codeOfDigit,
  encodeTelephoneEvent,
  isDigit,
  MAX_EVENT_TICKS,
  TELEPHONE_EVENT_BYTES,
} from "./telephone-event.ts";

/** How to make a `DigitSender`. */
export interface DigitSenderOptions {
  /** Of the telephone-event payload type; the audio's as a rule. */
  readonly clockRateHz: number;
  /** The negotiated payload type, repeated in each packet for convenience. */
  readonly payloadType: number;
  /** Of each tone; default 100. Rounded up to whole ticks of 20 ms. */
  readonly durationMs?: number;
  /** From the end of one tone to the begin of the next; default 60. */
  readonly gapMs?: number;
  /** Power of the tone in -dBm0, 0–63; default 10. */
  readonly volume?: number;
}

/** A telephone-event packet, to be sent in place of audio. */
export interface DigitPacket {
  /** Set on the first packet of an event only (RFC 4733 §2.5.1.1). */
  readonly marker: boolean;
  readonly payloadType: number;
  /** When the event began, the same in all its packets (RFC 4733 §2.5.1.2). */
  readonly timestamp: number;
  /** Valid until the next call of the sender. */
  readonly payload: Uint8Array;
  readonly digit: string;
  /** `end` also on the two repetitions of the last packet. */
  readonly event: "start" | "continue" | "end";
}

const TICK_MS = 20;
const DEFAULT_DURATION_MS = 100;
const DEFAULT_GAP_MS = 60;
const DEFAULT_VOLUME = 10;
/** Shorter tones are not recognised reliably (ITU-T Q.24). */
const MIN_DURATION_MS = 40;
/** The last packet is sent three times in all (RFC 4733 §2.5.1.4). */
const END_PACKETS = 3;

interface CurrentDigit {
  readonly digit: string;
  readonly timestamp: number;
  /** Packets sent so far, the repetitions of the end included. */
  packets: number;
}

/**
 * Sends digits as telephone events (RFC 4733 §2.5.1): one packet per tick of 20 ms with growing
 * duration, then the end packet three times. It replaces the audio of these ticks.
 */
export class DigitSender {
  readonly #payloadType: number;
  readonly #tickTicks: number;
  readonly #toneTicks: number;
  readonly #gapTicks: number;
  readonly #volume: number;
  readonly #payload = new Uint8Array(TELEPHONE_EVENT_BYTES);
  #waiting = "";
  #current: CurrentDigit | undefined;
  /** Ticks that have to pass before the next digit may begin. */
  #remainingGap = 0;

  /** @throws UsageError ERR_DIGIT_DURATION_OUT_OF_RANGE. */
  constructor(options: DigitSenderOptions) {
    const { durationMs = DEFAULT_DURATION_MS, gapMs = DEFAULT_GAP_MS } = options;
    this.#payloadType = options.payloadType;
    this.#tickTicks = (options.clockRateHz * TICK_MS) / 1000;
    this.#toneTicks = Math.ceil(durationMs / TICK_MS);
    this.#gapTicks = Math.ceil(gapMs / TICK_MS);
    this.#volume = options.volume ?? DEFAULT_VOLUME;
    // One segment per event: RFC 4733 §2.5.1.3 would allow more, no digit needs it.
    const maxDurationMs = Math.floor(MAX_EVENT_TICKS / this.#tickTicks) * TICK_MS;
    if (!(durationMs >= MIN_DURATION_MS && durationMs <= maxDurationMs)) {
      throw new UsageError(
        "ERR_DIGIT_DURATION_OUT_OF_RANGE",
        `A digit cannot last ${durationMs} ms. Choose ${MIN_DURATION_MS} to ${maxDurationMs} ms.`,
        { context: { durationMs, minDurationMs: MIN_DURATION_MS, maxDurationMs } },
      );
    }
  }

  /** Nothing is being sent and nothing waits; a gap after the last digit may still run. */
  get isIdle(): boolean {
    return this.#current === undefined && this.#waiting === "";
  }

  /**
   * Appends digits to what is to be sent.
   * @throws UsageError ERR_DIGIT_UNKNOWN; then none of them is queued.
   */
  queue(digits: string): void {
    const position = Array.from(digits).findIndex((character) => !isDigit(character));
    if (position >= 0) {
      throw new UsageError(
        "ERR_DIGIT_UNKNOWN",
        `Character ${position + 1} of the digits to send is not a DTMF digit. Use 0-9, *, #, A-D.`,
        { context: { position } },
      );
    }
    this.#waiting += digits.toUpperCase();
  }

  /**
   * The packet of this tick, or `undefined` when audio is to be sent. To be called once per 20 ms.
   *
   * @param timestamp the RTP timestamp that audio of this tick would have.
   */
  takePacket(timestamp: number): DigitPacket | undefined {
    const current = this.#current ?? this.#beginDigit(timestamp);
    if (current === undefined) return undefined;

    current.packets += 1;
    const durationTicks = Math.min(current.packets, this.#toneTicks) * this.#tickTicks;
    const isEnd = current.packets >= this.#toneTicks;
    const code = codeOfDigit(current.digit);
    encodeTelephoneEvent({ code, isEnd, volume: this.#volume, durationTicks }, this.#payload);
    const isFirst = current.packets === 1;
    if (current.packets === this.#toneTicks + END_PACKETS - 1) this.#endDigit();
    return {
      marker: isFirst,
      payloadType: this.#payloadType,
      timestamp: current.timestamp,
      payload: this.#payload,
      digit: current.digit,
      event: eventName(isEnd, isFirst),
    };
  }

  /** Begins the next digit if there is one and the gap is over. */
  #beginDigit(timestamp: number): CurrentDigit | undefined {
    if (this.#remainingGap > 0) {
      this.#remainingGap -= 1;
      return undefined;
    }
    const digit = this.#waiting.charAt(0);
    if (digit === "") return undefined;
    this.#waiting = this.#waiting.slice(1);
    this.#current = { digit, timestamp, packets: 0 };
    return this.#current;
  }

  #endDigit(): void {
    this.#current = undefined;
    // The repetitions of the end fall into the gap.
    this.#remainingGap = Math.max(0, this.#gapTicks - (END_PACKETS - 1));
  }
}

function eventName(isEnd: boolean, isFirst: boolean): DigitPacket["event"] {
  if (isEnd) return "end";
  return isFirst ? "start" : "continue";
}
