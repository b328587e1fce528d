import { type Codec, codecOf } from "../codec/index.ts";
import type {
  Clock,
  Cryptography,
  DatagramSocket,
  Instant,
  Random,
  SocketAddress,
} from "../environment/index.ts";
import { datagramKind, type VoipMetrics } from "../rtp/index.ts";
import type { NegotiatedMedia } from "../sdp/index.ts";
import { type SrtpKeys, SrtpReceiver, SrtpSender } from "../srtp/index.ts";
import type { FactSink } from "../timeline/index.ts";
import type { MediaSettings } from "./media-settings.ts";
import type { PacketTap } from "./packet-writer.ts";
import type { ReceivePath } from "./receive-path.ts";
import type { ReceivedFormat } from "./received-format.ts";
import { RtcpExchange, type RtcpFormat } from "./rtcp-exchange.ts";
import type { MediaSockets } from "./rtp-ports.ts";
import { type ReceiveFormat, RtpReceiver } from "./rtp-receiver.ts";
import { RtpSender, type SendFormat } from "./rtp-sender.ts";
import { SourceLock } from "./source-lock.ts";

/** What the streams of a call need for their whole life. */
export interface MediaStreamsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly cryptography: Cryptography;
  readonly sockets: MediaSockets;
  readonly settings: MediaSettings;
  readonly record: FactSink;
  readonly onPacket: PacketTap | undefined;
  readonly sampleRateHz: number;
  readonly path: ReceivePath;
  /** About what is heard, for the peer. */
  readonly voipMetrics: (roundTripMs: number | undefined) => VoipMetrics | undefined;
}

/**
 * The RTP stream of each direction and their RTCP, as negotiated: which datagram belongs to which,
 * and whether it is the peer's at all.
 */
export class MediaStreams {
  readonly sender: RtpSender;
  readonly receiver: RtpReceiver;
  readonly rtcp: RtcpExchange | undefined;
  foreign = 0;
  sendErrors = 0;
  readonly #options: MediaStreamsOptions;
  readonly #lock: SourceLock;
  #media: NegotiatedMedia;
  #sealer: { readonly keys: SrtpKeys; readonly srtp: SrtpSender } | undefined;
  #opener: { readonly keys: SrtpKeys; readonly srtp: SrtpReceiver } | undefined;
  /** The first stranger's first packet is told of, not every one of a flood. */
  #hasToldOfForeign = false;

  constructor(options: MediaStreamsOptions, media: NegotiatedMedia, remote: SocketAddress) {
    const { clock, random, record, onPacket, sockets, settings, sampleRateHz, path } = options;
    this.#options = options;
    this.#media = media;
    this.#lock = new SourceLock(remote, settings.followsSource ?? false);
    this.#adoptKeys(media);
    this.sender = new RtpSender(
      {
        socket: sockets.rtp,
        random,
        now: () => clock.now(),
        record,
        onPacket,
        sampleRateHz,
      },
      this.#sendFormat(media),
    );
    this.receiver = new RtpReceiver(
      { local: sockets.rtp.local, record, onPacket, path },
      this.#receiveFormat(media),
    );
    this.rtcp = this.#openRtcp(media);
    this.#listen();
  }

  /** Where the peer's packets come from. */
  get source(): SocketAddress {
    return this.#lock.source;
  }

  /** Packets that SRTP refused because they came again, or far too late (RFC 3711 §3.3.2). */
  get srtpRepeated(): { readonly replayed: number; readonly tooOld: number } {
    return this.#opener?.srtp.counts ?? { replayed: 0, tooOld: 0 };
  }

  get srtpRejected(): number {
    return this.receiver.srtpRejected + (this.rtcp?.rejected ?? 0);
  }

  /** Goes over to what was negotiated now. */
  reconfigure(media: NegotiatedMedia): void {
    this.#media = media;
    if (media.remote !== undefined) this.#lock.moveTo(media.remote);
    this.#adoptKeys(media);
    this.sender.reconfigure(this.#sendFormat(media));
    this.receiver.reconfigure(this.#receiveFormat(media));
    this.rtcp?.reconfigure(this.#rtcpSocket(media), this.#rtcpFormat(media));
  }

  /** Once per frame, after it was sent and played; the sockets have been read up to `readUntil`. */
  handleTick(now: Instant, readUntil: Instant): void {
    this.receiver.handleTimeout(readUntil);
    this.rtcp?.handleTick(now);
  }

  /** No more packets leave, except a last report and good-bye. */
  stop(now: Instant): void {
    this.rtcp?.end(now);
    this.sender.stop();
  }

  #listen(): void {
    const { rtp, rtcp } = this.#options.sockets;
    rtp.onDatagram = (data, from, at) => this.#handleDatagram(data, from, at);
    if (rtcp === undefined) return;
    rtcp.onDatagram = (data, from, at) => {
      // Its port is negotiated apart and rarely matters; the host must be the peer's.
      if (from.address === this.source.address) this.rtcp?.handleDatagram(data, from, at);
      else this.foreign += 1;
    };
  }

  #handleDatagram(data: Uint8Array, from: SocketAddress, at: Instant): void {
    const verdict = this.#lock.judge(from, at);
    if (verdict === "foreign") {
      this.#countForeign(from, at);
      return;
    }
    if (datagramKind(data) === "rtcp") {
      this.rtcp?.handleDatagram(data, from, at);
      return;
    }
    if (!this.receiver.handleDatagram(data, from, at)) return;
    this.#lock.accept(from, at);
    if (verdict === "candidate") this.#follow(from, at);
  }

  #countForeign(from: SocketAddress, at: Instant): void {
    this.foreign += 1;
    if (this.#hasToldOfForeign) return;
    this.#hasToldOfForeign = true;
    this.#recordSource(`${from.address}:${from.port}`, at, false);
  }

  /** Symmetric RTP (RFC 4961): what is sent follows only where that was asked for. */
  #follow(from: SocketAddress, at: Instant): void {
    this.#recordSource(`${from.address}:${from.port}`, at, true);
    if (this.#options.settings.followsSource !== true || this.sender.remote === undefined) return;
    this.sender.remote = { address: from.address, port: from.port };
  }

  #recordSource(from: string, at: Instant, isAccepted: boolean): void {
    const { remote } = this.#media;
    const expected = remote === undefined ? "nowhere" : `${remote.address}:${remote.port}`;
    this.#options.record({ kind: "rtpSource", at, from, expected, isAccepted });
  }

  /** Keys that did not change keep their rollover counter (RFC 3711 §3.3.1). */
  #adoptKeys(media: NegotiatedMedia): void {
    const { cryptography } = this.#options;
    const { srtp } = media;
    if (srtp === undefined) {
      this.#sealer = undefined;
      this.#opener = undefined;
      return;
    }
    if (this.#sealer?.keys !== srtp.send) {
      this.#sealer = { keys: srtp.send, srtp: new SrtpSender(srtp.send, cryptography) };
    }
    if (this.#opener?.keys !== srtp.receive) {
      this.#opener = { keys: srtp.receive, srtp: new SrtpReceiver(srtp.receive, cryptography) };
    }
  }

  #sendFormat(media: NegotiatedMedia): SendFormat {
    const { send, direction } = media;
    const { opus } = this.#options.settings;
    const codec = codecOf(send.codecId);
    const maySend = direction === "sendrecv" || direction === "sendonly";
    const event = media.otherTelephoneEvent;
    return {
      codec,
      payloadType: send.payloadType,
      encoder: {
        ptimeMs: codec.sendablePtimeMs(media.ptimeMs, send.remoteFmtp),
        ...(send.remoteFmtp === undefined ? {} : { remoteFmtp: send.remoteFmtp }),
        ...(opus === undefined ? {} : { opus }),
      },
      telephoneEvent:
        media.telephoneEventPayloadType === undefined
          ? event
          : { payloadType: media.telephoneEventPayloadType, clockRateHz: codec.clockRateHz },
      comfortNoisePayloadType: media.comfortNoisePayloadType,
      remote: maySend ? media.remote : undefined,
      protection: this.#sealer?.srtp,
    };
  }

  #receiveFormat(media: NegotiatedMedia): ReceiveFormat {
    return {
      clockRateHz: media.send.clockRateHz,
      formats: receivedFormats(media),
      protection: this.#opener?.srtp,
    };
  }

  #openRtcp(media: NegotiatedMedia): RtcpExchange | undefined {
    if (media.remoteRtcp === undefined || this.#options.settings.rtcp === "off") return undefined;
    const { clock, random, record, onPacket, settings, voipMetrics } = this.#options;
    return new RtcpExchange(
      {
        ssrc: this.sender.ssrc,
        clock,
        random,
        record,
        onPacket,
        intervalMs: settings.rtcpIntervalMs,
        sources: () => ({
          sent: this.sender,
          reception: this.receiver.statistics.currentSource,
          voip: voipMetrics(this.rtcp?.rttMs),
        }),
      },
      this.#rtcpSocket(media),
      this.#rtcpFormat(media),
    );
  }

  #rtcpSocket(media: NegotiatedMedia): DatagramSocket {
    const { rtp, rtcp } = this.#options.sockets;
    return media.rtcpMux ? rtp : (rtcp ?? rtp);
  }

  #rtcpFormat(media: NegotiatedMedia): RtcpFormat {
    const { clockRateHz } = media.send;
    return {
      remote: media.remoteRtcp,
      sendClockRateHz: clockRateHz,
      receiveClockRateHz: clockRateHz,
      protection:
        this.#sealer === undefined || this.#opener === undefined
          ? undefined
          : { send: this.#sealer.srtp, receive: this.#opener.srtp },
    };
  }
}

/** What may arrive, with the codecs themselves. */
export function receivedFormats(media: NegotiatedMedia): ReadonlyMap<number, ReceivedFormat> {
  const formats = new Map<number, ReceivedFormat>();
  for (const [payloadType, payload] of media.receive) {
    if (payload.kind === "audio") {
      const codec: Codec = codecOf(payload.codecId);
      formats.set(payloadType, { kind: "audio", codec });
    } else formats.set(payloadType, payload);
  }
  return formats;
}
