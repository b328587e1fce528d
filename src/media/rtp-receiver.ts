import type { Instant, SocketAddress } from "../environment/index.ts";
import { DigitReceiver, decodeRtp, ReceptionStatistics, type RtpPacket } from "../rtp/index.ts";
import type { SrtpReceiver } from "../srtp/index.ts";
import type { FactSink } from "../timeline/index.ts";
import type { PacketTap } from "./packet-writer.ts";
import { PACKET_BYTES_MAX } from "./packet-writer.ts";
import type { ReceivePath } from "./receive-path.ts";
import type { ReceivedFormats } from "./received-format.ts";

/** What may arrive, as negotiated; may change in a call. */
export interface ReceiveFormat {
  /** Of the audio that we expect: what jitter is measured in. */
  readonly clockRateHz: number;
  readonly formats: ReceivedFormats;
  readonly protection: SrtpReceiver | undefined;
}

/** What the receiver needs for its whole life. */
export interface RtpReceiverOptions {
  readonly local: SocketAddress;
  readonly record: FactSink;
  readonly onPacket: PacketTap | undefined;
  /** To the ear or to an AI. */
  readonly path: ReceivePath;
}

/**
 * Receives one RTP stream: decrypts, counts what the network did, takes telephone events out, and
 * hands the audio on to the ear (`PlayoutPath`) or to an AI (`IngressPath`).
 */
export class RtpReceiver {
  readonly statistics: ReceptionStatistics;
  malformed = 0;
  unknownPayload = 0;
  srtpRejected = 0;
  lastArrivalAt: Instant | undefined;
  readonly #options: RtpReceiverOptions;
  readonly #digits = new Map<number, DigitReceiver>();
  #format: ReceiveFormat;
  #opened: Uint8Array | undefined;

  constructor(options: RtpReceiverOptions, format: ReceiveFormat) {
    this.#options = options;
    this.#format = format;
    this.statistics = new ReceptionStatistics({ clockRateHz: format.clockRateHz });
  }

  /** Goes over to what was negotiated now. */
  reconfigure(format: ReceiveFormat): void {
    this.#format = format;
    this.#options.path.setFormats(format.formats);
  }

  /**
   * One RTP datagram of the peer. Nothing in it can make this throw.
   * @returns whether it is a packet of the stream.
   */
  handleDatagram(data: Uint8Array, from: SocketAddress, now: Instant): boolean {
    const plain = this.#unprotect(data);
    this.#tap(data, plain, from, now);
    if (plain === undefined) {
      this.srtpRejected += 1;
      return false;
    }
    const packet = decodeRtp(plain);
    if (packet.kind === "malformed") {
      this.malformed += 1;
      return false;
    }
    return this.#handlePacket(packet, now);
  }

  /** Ends keys whose end was lost; called once per frame. */
  handleTimeout(now: Instant): void {
    for (const digits of this.#digits.values()) {
      digits.handleTimeout(now);
      this.#takeDigits(digits);
    }
  }

  #handlePacket(packet: RtpPacket, now: Instant): boolean {
    const format = this.#format.formats.get(packet.payloadType);
    if (format === undefined) {
      this.unknownPayload += 1;
      return false;
    }
    this.lastArrivalAt = now;
    if (format.kind === "audio") {
      this.statistics.handlePacket(packet, now, format.codec.clockRateHz);
    } else this.statistics.handlePacket(packet, now, this.#format.clockRateHz);
    if (format.kind !== "telephoneEvent") {
      this.#options.path.handlePacket(packet, now);
      return true;
    }
    const digits = this.#digitsAt(format.clockRateHz);
    digits.handlePacket(packet, now);
    this.#takeDigits(digits);
    // Its sequence number must not count as missing.
    this.#options.path.handleOtherPayload(packet, now);
    return true;
  }

  #unprotect(data: Uint8Array): Uint8Array | undefined {
    const { protection } = this.#format;
    if (protection === undefined) return data;
    if (data.length > PACKET_BYTES_MAX) return undefined;
    this.#opened ??= new Uint8Array(PACKET_BYTES_MAX);
    const bytes = protection.unprotectRtp(data, this.#opened);
    return bytes < 0 ? undefined : this.#opened.subarray(0, bytes);
  }

  #tap(data: Uint8Array, plain: Uint8Array | undefined, remote: SocketAddress, at: Instant): void {
    const { onPacket, local } = this.#options;
    if (onPacket === undefined) return;
    const isEncrypted = plain !== undefined && plain !== data;
    onPacket({ at, direction: "received", local, remote, data, ...(isEncrypted ? { plain } : {}) });
  }

  #digitsAt(clockRateHz: number): DigitReceiver {
    const known = this.#digits.get(clockRateHz);
    if (known !== undefined) return known;
    const digits = new DigitReceiver({ clockRateHz });
    this.#digits.set(clockRateHz, digits);
    return digits;
  }

  #takeDigits(digits: DigitReceiver): void {
    for (;;) {
      const digit = digits.takeDigit();
      if (digit === undefined) return;
      this.#options.record({
        kind: "digit",
        direction: "received",
        method: "telephone-event",
        at: digit.startedAt,
        digit: digit.digit,
        durationMs: digit.durationMs,
        endedAt: digit.endedAt,
        volumeDbm0: digit.volumeDbm0,
      });
    }
  }
}
