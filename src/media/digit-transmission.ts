import { type DtmfTone, DtmfToneGenerator } from "../audio/index.ts";
import { after, type Instant, RemoteError, UsageError } from "../environment/index.ts";
import { type DigitPacket, DigitSender } from "../rtp/index.ts";
import type { FactSink } from "../timeline/index.ts";

/** Keys to be pressed in the media. */
export interface DigitRequest {
  readonly digits: string;
  /** Default telephone-event. */
  readonly method?: "telephone-event" | "in-band";
  /** Of each key; default 100. */
  readonly durationMs?: number;
}

/** What digits are sent with; changes with each offer and answer. */
export interface DigitFormat {
  /** `undefined` where the peer takes no events. */
  readonly event: { readonly payloadType: number; readonly clockRateHz: number } | undefined;
  readonly frameMs: number;
  readonly sampleRateHz: number;
}

const DEFAULT_DURATION_MS = 100;

/**
 * The keys that one side presses: as RFC 4733 events in place of audio packets, or as tones in the
 * audio. It puts each on the timeline when it is over.
 */
export class DigitTransmission {
  readonly #record: FactSink;
  #format: DigitFormat;
  #events: DigitSender | undefined;
  #tones: DtmfToneGenerator | undefined;
  readonly #waitingForEvents: (() => void)[] = [];
  readonly #waitingForTones: (() => void)[] = [];
  /** The event being sent: when its first packet left, and whether its end has. */
  #event: { readonly startedAt: Instant; hasEnded: boolean } | undefined;
  /** Samples that the tone generator was asked for. */
  #toneSamples = 0;

  constructor(format: DigitFormat, record: FactSink) {
    this.#record = record;
    this.#format = format;
    this.reconfigure(format);
  }

  /** Goes over to what was negotiated now. Keys in line are sent in the new format. */
  reconfigure(format: DigitFormat): void {
    this.#format = format;
    const { event, frameMs } = format;
    if (event === undefined) {
      this.#events = undefined;
      settle(this.#waitingForEvents);
      return;
    }
    const events = { ...event, frameTicks: (event.clockRateHz * frameMs) / 1000 };
    if (this.#events === undefined) this.#events = new DigitSender(events);
    else this.#events.reconfigure(events);
  }

  /**
   * Lines keys up; resolves when the last of them has been sent.
   * @throws UsageError ERR_DIGIT_UNKNOWN; RemoteError ERR_NO_TELEPHONE_EVENT.
   */
  send(request: DigitRequest): Promise<void> {
    const { digits, method = "telephone-event", durationMs = DEFAULT_DURATION_MS } = request;
    requireDigits(digits);
    if (method === "in-band") return this.#sendTones(digits, durationMs);
    if (this.#events === undefined) {
      throw new RemoteError(
        "ERR_NO_TELEPHONE_EVENT",
        "The other side did not negotiate telephone-event (RFC 4733), so no digit can be sent as one. Offer it there, or press the keys in-band or by INFO.",
      );
    }
    this.#events.queue(digits, { durationMs });
    return new Promise((resolve) => this.#waitingForEvents.push(resolve));
  }

  /** The event packet of this frame; `undefined`: audio is sent. */
  takePacket(timestamp: number, now: Instant): DigitPacket | undefined {
    const packet = this.#events?.takePacket(timestamp);
    if (packet !== undefined) this.#follow(packet, now);
    return packet;
  }

  /** Replaces the frame's audio where a tone, or the gap between two, is due. */
  fillTone(frame: Int16Array, deadline: Instant): void {
    const tones = this.#tones;
    if (tones === undefined) return;
    const begin = this.#toneSamples;
    this.#toneSamples += frame.length;
    if (!tones.fill(frame)) return;
    for (let tone = tones.takeGenerated(); tone !== undefined; tone = tones.takeGenerated()) {
      const { sampleRateHz } = this.#format;
      this.#noteTone(tone, after(deadline, ((tone.startSample - begin) * 1000) / sampleRateHz));
    }
    if (tones.isIdle) settle(this.#waitingForTones);
  }

  /** No more frames will come: nobody waits any longer. */
  stop(): void {
    settle(this.#waitingForEvents);
    settle(this.#waitingForTones);
  }

  #sendTones(digits: string, durationMs: number): Promise<void> {
    const { sampleRateHz } = this.#format;
    this.#tones ??= new DtmfToneGenerator({ sampleRateHz });
    this.#tones.queue(digits, durationMs);
    return new Promise((resolve) => this.#waitingForTones.push(resolve));
  }

  #follow(packet: DigitPacket, now: Instant): void {
    if (packet.marker || this.#event === undefined) {
      this.#event = { startedAt: now, hasEnded: false };
    }
    const event = this.#event;
    if (packet.event === "end" && !event.hasEnded) {
      event.hasEnded = true;
      this.#record({
        kind: "digit",
        direction: "sent",
        method: "telephone-event",
        at: event.startedAt,
        digit: packet.digit,
        durationMs: packet.durationMs,
        endedAt: now,
      });
    }
    if (this.#events?.isIdle === true) settle(this.#waitingForEvents);
  }

  #noteTone({ digit, durationMs }: DtmfTone, at: Instant): void {
    this.#record({
      kind: "digit",
      direction: "sent",
      method: "in-band",
      at,
      digit,
      durationMs,
      endedAt: after(at, durationMs),
    });
  }
}

/** @throws UsageError ERR_DIGIT_UNKNOWN. */
export function requireDigits(digits: string): void {
  if (/^[0-9A-D*#]+$/u.test(digits)) return;
  throw new UsageError(
    "ERR_DIGIT_UNKNOWN",
    "Only the keys 0 to 9, A to D, * and # can be pressed.",
  );
}

function settle(waiting: (() => void)[]): void {
  for (const resolve of waiting.splice(0)) resolve();
}
