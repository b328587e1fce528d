import { assert } from "../environment/index.ts";
import type { RtpPacket } from "../rtp/index.ts";
import type { ReceivedFormat, ReceivedFormats } from "./received-format.ts";
import { StreamDecoder } from "./stream-decoder.ts";

/**
 * Ticks per second of a stream whose payload types may have several clock rates. All RTP clocks
 * in use divide it, so that timestamps × a whole factor keep their differences modulo 2^32.
 */
export const AXIS_HZ = 48_000;

type Writable<Packet> = { -readonly [Key in keyof Packet]: Packet[Key] };

/** The payload types of one received stream, with a decoder for each that has come. */
export class StreamFormats {
  readonly #sampleRateHz: number;
  #formats: ReceivedFormats;
  readonly #decoders = new Map<number, StreamDecoder>();
  readonly #onAxis: Writable<RtpPacket> = {
    kind: "rtp",
    marker: false,
    payloadType: 0,
    sequenceNumber: 0,
    timestamp: 0,
    ssrc: 0,
    payload: new Uint8Array(0),
  };

  constructor(formats: ReceivedFormats, sampleRateHz: number) {
    this.#formats = formats;
    this.#sampleRateHz = sampleRateHz;
  }

  /** Other formats from now on; decoders of payload types that mean the same go on. */
  set(formats: ReceivedFormats): void {
    for (const [payloadType, decoder] of this.#decoders) {
      const format = formats.get(payloadType);
      if (format?.kind === "audio" && format.codec === decoder.codec) continue;
      decoder.release();
      this.#decoders.delete(payloadType);
    }
    this.#formats = formats;
  }

  /** What a payload type stands for. */
  of(payloadType: number): ReceivedFormat | undefined {
    return this.#formats.get(payloadType);
  }

  /** The decoder of a payload type, made when it is first used. */
  decoderOf(payloadType: number): StreamDecoder | undefined {
    const known = this.#decoders.get(payloadType);
    if (known !== undefined) return known;
    const format = this.#formats.get(payloadType);
    if (format?.kind !== "audio") return undefined;
    const decoder = new StreamDecoder(format.codec, this.#sampleRateHz);
    this.#decoders.set(payloadType, decoder);
    return decoder;
  }

  /** How many ticks of the axis a tick of this clock is. */
  axisTicksPer(clockRateHz: number): number {
    const factor = AXIS_HZ / clockRateHz;
    assert(Number.isInteger(factor), "RTP clocks divide 48 kHz");
    return factor;
  }

  /** The packet with its timestamp on the axis; valid until the next call. */
  onAxis(packet: RtpPacket, clockRateHz: number): RtpPacket {
    const scaled = this.#onAxis;
    scaled.marker = packet.marker;
    scaled.payloadType = packet.payloadType;
    scaled.sequenceNumber = packet.sequenceNumber;
    scaled.timestamp = Math.imul(packet.timestamp, this.axisTicksPer(clockRateHz)) >>> 0;
    scaled.ssrc = packet.ssrc;
    scaled.payload = packet.payload;
    return scaled;
  }

  /** Gives all decoders' memory back. */
  release(): void {
    for (const decoder of this.#decoders.values()) decoder.release();
    this.#decoders.clear();
  }
}
