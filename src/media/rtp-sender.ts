import type { Codec } from "../codec/index.ts";
import {
  type DatagramSocket,
  elapsedMs,
  type Instant,
  type Random,
  RemoteError,
  randomInteger,
  type SocketAddress,
  UsageError,
} from "../environment/index.ts";
import { type DigitPacket, DigitSender, encodeRtp } from "../rtp/index.ts";
import type { FactSink } from "../timeline/index.ts";
import { DepartureStatistics } from "./departure-statistics.ts";

/** RTP over IPv4 and UDP on Ethernet leaves 1,460 bytes; audio frames are far below. */
const PACKET_BYTES_MAX = 1460;

/** A tap on packets as they cross the socket. */
export type PacketTap = (packet: {
  readonly at: Instant;
  readonly direction: "sent" | "received";
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly data: Uint8Array;
}) => void;

/** What the sender needs; the negotiated part is fixed for its life. */
export interface RtpSenderOptions {
  readonly socket: DatagramSocket;
  readonly remote: SocketAddress;
  readonly codec: Codec;
  readonly payloadType: number;
  readonly telephoneEventPayloadType: number | undefined;
  readonly frameMs: number;
  readonly random: Random;
  readonly now: () => Instant;
  readonly record: FactSink;
  readonly onPacket: PacketTap | undefined;
}

interface PressedDigits {
  readonly resolve: () => void;
}

/**
 * Sends one RTP stream (RFC 3550 §5.1): audio frames, or telephone events in their place
 * (RFC 4733 §2.5). It is called once per frame and keeps no time of its own.
 */
export class RtpSender {
  readonly ssrc: number;
  readonly departures: DepartureStatistics = new DepartureStatistics();
  packetsSent = 0;
  bytesSent = 0;
  remote: SocketAddress;
  readonly #options: RtpSenderOptions;
  readonly #digits: DigitSender | undefined;
  readonly #waiting: PressedDigits[] = [];
  readonly #packet = new Uint8Array(PACKET_BYTES_MAX);
  readonly #payload = new Uint8Array(PACKET_BYTES_MAX);
  readonly #frameTicks: number;
  #sequenceNumber: number;
  #timestamp: number;
  #isTalkspurtStart = true;
  /** The digit being sent: when its first packet left, and how many frames it lasts so far. */
  #tone: { readonly startedAt: Instant; frames: number; hasEnded: boolean } | undefined;

  constructor(options: RtpSenderOptions) {
    this.#options = options;
    this.remote = options.remote;
    // Random starts (RFC 3550 §5.1): sequence below 2^15, so that a first wrap cannot be mistaken.
    this.ssrc = randomInteger(options.random, 2 ** 32);
    this.#sequenceNumber = randomInteger(options.random, 2 ** 15);
    this.#timestamp = randomInteger(options.random, 2 ** 32);
    const { clockRateHz } = options.codec;
    this.#frameTicks = (clockRateHz * options.frameMs) / 1000;
    this.#digits =
      options.telephoneEventPayloadType === undefined
        ? undefined
        : new DigitSender({ clockRateHz, payloadType: options.telephoneEventPayloadType });
  }

  /**
   * Lines up digits; resolves when the last end packet has left.
   * @throws UsageError ERR_DIGIT_UNKNOWN; RemoteError ERR_NO_TELEPHONE_EVENT.
   */
  sendDigits(digits: string): Promise<void> {
    if (!/^[0-9A-D*#]+$/u.test(digits)) {
      throw new UsageError(
        "ERR_DIGIT_UNKNOWN",
        "Only the keys 0 to 9, A to D, * and # can be pressed.",
      );
    }
    const sender = this.#digits;
    if (sender === undefined) {
      throw new RemoteError(
        "ERR_NO_TELEPHONE_EVENT",
        "The other side did not negotiate telephone-event (RFC 4733), so no digit can be sent. Offer it there.",
      );
    }
    sender.queue(digits);
    return new Promise((resolve) => this.#waiting.push({ resolve }));
  }

  /** Sends what belongs to this frame: `samples`, or a telephone event in their place. */
  sendFrame(samples: Int16Array, deadline: Instant): void {
    const event = this.#digits?.takePacket(this.#timestamp);
    if (event === undefined) this.#sendAudio(samples);
    else this.#sendEvent(event);
    this.departures.add(elapsedMs(deadline, this.#options.now()), this.#options.frameMs);
    this.#timestamp = (this.#timestamp + this.#frameTicks) >>> 0;
  }

  /** No more frames will come: nobody waits any longer. */
  stop(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #sendAudio(samples: Int16Array): void {
    const { codec, payloadType } = this.#options;
    const bytes = codec.encode(samples, this.#payload);
    this.#send({
      payload: this.#payload.subarray(0, bytes),
      payloadType,
      marker: this.#isTalkspurtStart,
      timestamp: this.#timestamp,
    });
    this.#isTalkspurtStart = false;
  }

  #sendEvent(packet: DigitPacket): void {
    this.#send(packet);
    // Audio that follows an event begins a talkspurt: none was sent meanwhile.
    this.#isTalkspurtStart = true;
    if (packet.marker || this.#tone === undefined) {
      this.#tone = { startedAt: this.#options.now(), frames: 0, hasEnded: false };
    }
    const tone = this.#tone;
    if (!tone.hasEnded) tone.frames += 1;
    if (packet.event === "end" && !tone.hasEnded) {
      tone.hasEnded = true;
      this.#recordDigit(packet.digit, tone.startedAt, tone.frames);
    }
    if (this.#digits?.isIdle === true) this.stop();
  }

  #recordDigit(digit: string, startedAt: Instant, frames: number): void {
    this.#options.record({
      kind: "digit",
      direction: "sent",
      at: startedAt,
      digit,
      durationMs: frames * this.#options.frameMs,
      endedAt: this.#options.now(),
    });
  }

  #send(packet: {
    readonly payload: Uint8Array;
    readonly payloadType: number;
    readonly marker: boolean;
    readonly timestamp: number;
  }): void {
    const bytes = encodeRtp(
      {
        marker: packet.marker,
        payloadType: packet.payloadType,
        sequenceNumber: this.#sequenceNumber,
        timestamp: packet.timestamp,
        ssrc: this.ssrc,
      },
      packet.payload,
      this.#packet,
    );
    const data = this.#packet.subarray(0, bytes);
    const { socket, onPacket, now } = this.#options;
    socket.send(data, this.remote);
    onPacket?.({
      at: now(),
      direction: "sent",
      local: socket.local,
      remote: this.remote,
      data,
    });
    this.#sequenceNumber = (this.#sequenceNumber + 1) & 0xffff;
    this.packetsSent += 1;
    this.bytesSent += packet.payload.length;
  }
}
