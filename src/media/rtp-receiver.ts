import type { Codec } from "../codec/index.ts";
import type { DatagramSocket, Instant, SocketAddress } from "../environment/index.ts";
import {
  DigitReceiver,
  decodeRtp,
  IngressOrderer,
  isRtcp,
  JitterBuffer,
  ReceptionStatistics,
  type RtpPacket,
} from "../rtp/index.ts";
import type { FactSink } from "../timeline/index.ts";
import type { PacketTap } from "./rtp-sender.ts";

/** Longest frame that G.711 peers send, 60 ms, with room to spare. */
const DECODED_SAMPLES_MAX = 4096;

/** What the receiver needs; the negotiated part is fixed for its life. */
export interface RtpReceiverOptions {
  readonly socket: DatagramSocket;
  readonly remote: SocketAddress;
  /** Payload type → codec, as we offered them. */
  readonly codecs: ReadonlyMap<number, Codec>;
  readonly codec: Codec;
  readonly telephoneEventPayloadType: number | undefined;
  readonly frameMs: number;
  readonly playoutDelayMs: number;
  readonly record: FactSink;
  readonly onPacket: PacketTap | undefined;
  /** The low-latency path (bridging): samples at once, in order, gaps as silence. */
  readonly onAudio: ((samples: Int16Array, now: Instant) => void) | undefined;
  readonly onSilence: ((samples: number, now: Instant) => void) | undefined;
}

/**
 * Receives one RTP stream: statistics before the buffer (what the network did), then the jitter
 * buffer (what the ear hears) and, for a bridge, the ingress path beside it.
 */
export class RtpReceiver {
  readonly statistics: ReceptionStatistics;
  malformed = 0;
  foreign = 0;
  concealedFrames = 0;
  lastArrivalAt: Instant | undefined;
  /** Where packets really come from: the negotiated address, or the port they were latched to. */
  source: SocketAddress;
  readonly #options: RtpReceiverOptions;
  readonly #buffer: JitterBuffer;
  readonly #ingress: IngressOrderer | undefined;
  readonly #digits: DigitReceiver;
  readonly #decoded = new Int16Array(DECODED_SAMPLES_MAX);
  #mayLatch = true;
  #payloadCodec: Codec;

  constructor(options: RtpReceiverOptions) {
    this.#options = options;
    this.source = options.remote;
    this.#payloadCodec = options.codec;
    const { clockRateHz } = options.codec;
    const frameTicks = (clockRateHz * options.frameMs) / 1000;
    this.statistics = new ReceptionStatistics({ clockRateHz });
    this.#buffer = new JitterBuffer({
      playoutDelayMs: options.playoutDelayMs,
      clockRateHz,
      frameTicks,
    });
    this.#ingress =
      options.onAudio === undefined ? undefined : new IngressOrderer({ clockRateHz, frameTicks });
    this.#digits = new DigitReceiver({ clockRateHz });
  }

  /** The peer has moved (re-INVITE): its packets come from there now. */
  moveTo(remote: SocketAddress): void {
    if (remote.address === this.source.address && remote.port === this.source.port) return;
    this.source = remote;
    this.#mayLatch = true;
  }

  get counts(): JitterBuffer["counts"] {
    return this.#buffer.counts;
  }

  /** One datagram from the socket. Nothing in it can make this throw. */
  handleDatagram(data: Uint8Array, from: SocketAddress, now: Instant): void {
    if (!this.#isFromPeer(from)) {
      this.foreign += 1;
      return;
    }
    const { socket, onPacket } = this.#options;
    onPacket?.({ at: now, direction: "received", local: socket.local, remote: from, data });
    if (isRtcp(data)) return;
    const packet = decodeRtp(data);
    if (packet.kind === "malformed") {
      this.malformed += 1;
      return;
    }
    this.#handlePacket(packet, now);
  }

  /**
   * Fills `frame` with what is heard now; called once per frame.
   * @returns false where there is nothing to hear (then `frame` is silence).
   */
  takeFrame(frame: Int16Array, now: Instant): boolean {
    this.#digits.handleTimeout(now);
    this.#takeDigits();
    const taken = this.#buffer.takeFrame(now);
    if (taken.kind === "packet") {
      const count = this.#payloadCodec.decode(taken.payload, this.#decoded);
      frame.fill(0);
      frame.set(this.#decoded.subarray(0, Math.min(count, frame.length)));
      return true;
    }
    if (taken.kind === "lost") this.concealedFrames += 1;
    frame.fill(0);
    return false;
  }

  /** Fills gaps of the ingress path; called once per frame. */
  handleTimeout(now: Instant): void {
    this.#ingress?.handleTimeout(now);
    this.#passIngress(now);
  }

  #handlePacket(packet: RtpPacket, now: Instant): void {
    this.lastArrivalAt = now;
    this.statistics.handlePacket(packet, now);
    if (packet.payloadType === this.#options.telephoneEventPayloadType) {
      this.#digits.handlePacket(packet, now);
      this.#takeDigits();
      // Both orders must know that its sequence number is not missing.
      this.#buffer.handleOtherPayload(packet, now);
      this.#ingress?.handleOtherPayload(packet, now);
      this.#passIngress(now);
      return;
    }
    const codec = this.#options.codecs.get(packet.payloadType);
    if (codec === undefined) {
      this.malformed += 1;
      return;
    }
    this.#payloadCodec = codec;
    this.#buffer.handlePacket(packet, now);
    if (this.#ingress !== undefined) {
      this.#ingress.handlePacket(packet, now);
      this.#passIngress(now);
    }
  }

  #passIngress(now: Instant): void {
    const { onAudio, onSilence } = this.#options;
    for (;;) {
      const output = this.#ingress?.takeOutput();
      if (output === undefined) return;
      if (output.kind === "silence") {
        onSilence?.(output.ticks, now);
        continue;
      }
      const count = this.#payloadCodec.decode(output.payload, this.#decoded);
      onAudio?.(this.#decoded.subarray(0, count), now);
    }
  }

  #takeDigits(): void {
    for (;;) {
      const digit = this.#digits.takeDigit();
      if (digit === undefined) return;
      this.#options.record({
        kind: "digit",
        direction: "received",
        at: digit.startedAt,
        digit: digit.digit,
        durationMs: digit.durationMs,
        endedAt: digit.endedAt,
      });
    }
  }

  /**
   * Symmetric RTP with a source lock: packets count from the negotiated address; the port is
   * latched to the first packet's (a NAT may have changed it), then kept.
   */
  #isFromPeer(from: SocketAddress): boolean {
    if (from.address !== this.source.address) return false;
    if (from.port !== this.source.port && !this.#mayLatch) return false;
    this.#mayLatch = false;
    this.source = from;
    return true;
  }
}
