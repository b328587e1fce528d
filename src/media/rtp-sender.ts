import {
  type Codec,
  ComfortNoiseAnalyser,
  type EncoderOptions,
  TransmissionSwitch,
} from "../codec/index.ts";
import {
  type DatagramSocket,
  elapsedMs,
  type Instant,
  type Random,
  type SocketAddress,
} from "../environment/index.ts";
import type { SentSource } from "../rtp/index.ts";
import type { SrtpSender } from "../srtp/index.ts";
import type { FactSink } from "../timeline/index.ts";
import { AudioEncoding } from "./audio-encoding.ts";
import { DepartureStatistics } from "./departure-statistics.ts";
import { type DigitFormat, type DigitRequest, DigitTransmission } from "./digit-transmission.ts";
import { type PacketTap, PacketWriter } from "./packet-writer.ts";

/** What is sent, as negotiated; may change in a call. */
export interface SendFormat {
  readonly codec: Codec;
  readonly payloadType: number;
  readonly encoder: EncoderOptions;
  /** How digits are sent; `undefined` where the peer takes none. */
  readonly telephoneEvent:
    | { readonly payloadType: number; readonly clockRateHz: number }
    | undefined;
  /** Where set, silence is not sent but described (RFC 3389). */
  readonly comfortNoisePayloadType: number | undefined;
  /** `undefined` where nothing may be sent: held, or receiving only. */
  readonly remote: SocketAddress | undefined;
  readonly protection: SrtpSender | undefined;
}

/** What the sender needs for its whole life. */
export interface RtpSenderOptions {
  readonly socket: DatagramSocket;
  readonly random: Random;
  readonly now: () => Instant;
  readonly record: FactSink;
  readonly onPacket: PacketTap | undefined;
  /** Of the frames that `sendFrame` gets. */
  readonly sampleRateHz: number;
}

/** What became of a frame. */
export type SentFrame =
  | "audio"
  /** A telephone event left in its place. */
  | "event"
  /** Nothing left: held, or silence that need not be sent. */
  | "nothing";

/** What it takes to describe silence instead of sending it. */
interface SilenceParts {
  readonly gate: TransmissionSwitch;
  readonly noise: ComfortNoiseAnalyser;
}

/** The longest comfort-noise payload: level and ten coefficients are usual (RFC 3389 §3). */
const COMFORT_NOISE_BYTES_MAX = 32;

/**
 * Sends one RTP stream (RFC 3550 §5.1): audio frames, comfort noise in their place, or telephone
 * events (RFC 4733 §2.5). It is called once per frame and keeps no time of its own.
 */
export class RtpSender implements SentSource {
  readonly departures: DepartureStatistics = new DepartureStatistics();
  readonly #options: RtpSenderOptions;
  readonly #writer: PacketWriter;
  readonly #digits: DigitTransmission;
  #format: SendFormat;
  #encoding: AudioEncoding;
  #silence: SilenceParts | undefined;
  #noisePayload: Uint8Array | undefined;
  #frameTicks = 0;
  #timestamp: number;
  /** The deadline of the newest frame. */
  #frameAt: Instant | undefined;
  #isTalkspurtStart = true;

  constructor(options: RtpSenderOptions, format: SendFormat) {
    this.#options = options;
    this.#writer = new PacketWriter(options);
    this.#timestamp = Math.floor(options.random() * 2 ** 32);
    this.#format = format;
    this.#digits = new DigitTransmission(this.#digitFormat(format), options.record);
    this.#encoding = this.#encodingOf(format);
    this.#adopt(format);
  }

  get ssrc(): number {
    return this.#writer.ssrc;
  }

  get packets(): number {
    return this.#writer.packetsSent;
  }

  /** Octets of payload, as RTCP counts them (RFC 3550 §6.4.1). */
  get octets(): number {
    return this.#writer.bytesSent;
  }

  get format(): SendFormat {
    return this.#format;
  }

  /** The RTP timestamp that a sample taken at `now` would get, for sender reports. */
  rtpTimestampAt(now: Instant): number {
    if (this.#frameAt === undefined) return this.#timestamp;
    const ticks = (elapsedMs(this.#frameAt, now) * this.#format.codec.clockRateHz) / 1000;
    return (this.#timestamp - this.#frameTicks + Math.round(ticks)) >>> 0;
  }

  get remote(): SocketAddress | undefined {
    return this.#writer.remote;
  }

  set remote(remote: SocketAddress | undefined) {
    this.#writer.remote = remote;
  }

  /** Goes over to what was negotiated now; the stream's numbers go on (RFC 3264 §8). */
  reconfigure(format: SendFormat): void {
    const isSame =
      format.codec === this.#format.codec &&
      format.encoder.ptimeMs === this.#format.encoder.ptimeMs &&
      format.encoder.remoteFmtp === this.#format.encoder.remoteFmtp;
    if (!isSame) {
      this.#encoding.release();
      this.#encoding = this.#encodingOf(format);
    }
    this.#digits.reconfigure(this.#digitFormat(format));
    this.#adopt(format);
    if (!isSame) this.#isTalkspurtStart = true;
  }

  /** See `DigitTransmission.send`. */
  sendDigits(request: DigitRequest): Promise<void> {
    return this.#digits.send(request);
  }

  /** Sends what belongs to this frame; a tone that is due replaces `samples`. */
  sendFrame(samples: Int16Array, deadline: Instant): SentFrame {
    const { now } = this.#options;
    this.#digits.fillTone(samples, deadline);
    const event = this.#digits.takePacket(this.#timestamp, now());
    let sent: SentFrame;
    if (event === undefined) sent = this.#sendAudio(samples);
    else {
      sent = this.#writer.send(event) ? "event" : "nothing";
      // Audio that follows an event begins a talkspurt: none was sent meanwhile.
      this.#isTalkspurtStart = true;
    }
    this.departures.add(elapsedMs(deadline, now()), this.#format.encoder.ptimeMs);
    this.#frameAt = deadline;
    this.#timestamp = (this.#timestamp + this.#frameTicks) >>> 0;
    return sent;
  }

  /** No more frames will come. */
  stop(): void {
    this.#digits.stop();
    this.#encoding.release();
  }

  #adopt(format: SendFormat): void {
    const { encoder, codec } = format;
    this.#format = format;
    this.#frameTicks = (codec.clockRateHz * encoder.ptimeMs) / 1000;
    this.#writer.remote = format.remote;
    this.#writer.protection = format.protection;
    if (format.comfortNoisePayloadType === undefined) this.#silence = undefined;
    else this.#silence ??= this.#silenceParts();
  }

  #silenceParts(): SilenceParts {
    const { sampleRateHz } = this.#options;
    this.#noisePayload = new Uint8Array(COMFORT_NOISE_BYTES_MAX);
    return {
      gate: new TransmissionSwitch({ sampleRateHz }),
      noise: new ComfortNoiseAnalyser({ sampleRateHz }),
    };
  }

  #encodingOf({ codec, encoder }: SendFormat): AudioEncoding {
    return new AudioEncoding(codec, this.#options.sampleRateHz, encoder);
  }

  #digitFormat(format: SendFormat): DigitFormat {
    return {
      event: format.telephoneEvent,
      frameMs: format.encoder.ptimeMs,
      sampleRateHz: this.#options.sampleRateHz,
    };
  }

  #sendAudio(samples: Int16Array): SentFrame {
    const decision = this.#silence?.gate.handleFrame(samples) ?? "speech";
    if (decision !== "speech") return this.#sendSilence(samples, decision === "sid");
    const payload = this.#encoding.encode(samples);
    if (payload.length === 0) {
      // The codec's own discontinuous transmission: the next packet begins a talkspurt.
      this.#isTalkspurtStart = true;
      return "nothing";
    }
    const marker = this.#isTalkspurtStart;
    const { payloadType } = this.#format;
    if (!this.#writer.send({ payload, payloadType, marker, timestamp: this.#timestamp })) {
      return "nothing";
    }
    this.#isTalkspurtStart = false;
    return "audio";
  }

  /** Keeps silent, or describes the silence (RFC 3389 §4). */
  #sendSilence(samples: Int16Array, describes: boolean): SentFrame {
    this.#isTalkspurtStart = true;
    const payloadType = this.#format.comfortNoisePayloadType;
    const output = this.#noisePayload;
    if (this.#silence === undefined || payloadType === undefined || output === undefined) {
      return "nothing";
    }
    this.#silence.noise.analyse(samples);
    if (!describes) return "nothing";
    const payload = output.subarray(0, this.#silence.noise.write(output));
    this.#writer.send({ payload, payloadType, marker: false, timestamp: this.#timestamp });
    return "nothing";
  }
}
