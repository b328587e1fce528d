import type {
  Clock,
  DatagramSocket,
  Instant,
  Random,
  SocketAddress,
} from "../environment/index.ts";
import { type RtcpEvent, RtcpSession, type RtcpSources, randomCname } from "../rtp/index.ts";
import type { SrtpReceiver, SrtpSender } from "../srtp/index.ts";
import type { FactSink } from "../timeline/index.ts";
import type { PacketTap } from "./packet-writer.ts";

/** Where RTCP goes, as negotiated; may change in a call. */
export interface RtcpFormat {
  /** `undefined`: nowhere. */
  readonly remote: SocketAddress | undefined;
  readonly sendClockRateHz: number;
  readonly receiveClockRateHz: number;
  readonly protection: { readonly send: SrtpSender; readonly receive: SrtpReceiver } | undefined;
}

/** What an exchange needs for its whole life. */
export interface RtcpExchangeOptions {
  readonly ssrc: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly record: FactSink;
  readonly onPacket: PacketTap | undefined;
  readonly intervalMs: number | undefined;
  /** What a report is made of, apart from the time. */
  readonly sources: (now: Instant) => Omit<RtcpSources, "wallClockMs">;
}

/** Room for a compound packet and what SRTCP adds to it. */
const PACKET_BYTES_MAX = 1460;

/**
 * RTCP of one call: joins the session engine to a socket and, where negotiated, to SRTCP. What the
 * peer reports goes to the timeline.
 */
export class RtcpExchange {
  /** SRTCP packets that were refused. */
  rejected = 0;
  readonly #options: RtcpExchangeOptions;
  readonly #session: RtcpSession;
  #format: RtcpFormat;
  #socket: DatagramSocket;
  #sealed: Uint8Array | undefined;
  #opened: Uint8Array | undefined;

  constructor(options: RtcpExchangeOptions, socket: DatagramSocket, format: RtcpFormat) {
    const { ssrc, random, clock, intervalMs } = options;
    this.#options = options;
    this.#socket = socket;
    this.#format = format;
    this.#session = new RtcpSession({
      ssrc,
      cname: randomCname(random),
      random,
      clockRateHz: format.sendClockRateHz,
      receiveClockRateHz: format.receiveClockRateHz,
      ...(intervalMs === undefined ? {} : { minIntervalMs: intervalMs }),
      xr: true,
    });
    this.#session.start(clock.now());
  }

  get counts(): RtcpSession["counts"] {
    return this.#session.counts;
  }

  get roundTrips(): RtcpSession["roundTrips"] {
    return this.#session.roundTrips;
  }

  get rttMs(): number | undefined {
    return this.#session.rttMs;
  }

  /** Goes over to what was negotiated now. */
  reconfigure(socket: DatagramSocket, format: RtcpFormat): void {
    this.#socket = socket;
    this.#format = format;
    this.#session.setClockRates(format.sendClockRateHz, format.receiveClockRateHz);
  }

  /** A datagram of the peer; nothing in it can make this throw. */
  handleDatagram(data: Uint8Array, from: SocketAddress, now: Instant): void {
    const plain = this.#unprotect(data);
    this.#tap({ direction: "received", remote: from, data, plain, at: now });
    if (plain === undefined) {
      this.rejected += 1;
      return;
    }
    for (const event of this.#session.handlePacket(plain, now)) this.#recordEvent(event, now);
  }

  /** Sends a report where one is due; called once per frame. */
  handleTick(now: Instant): void {
    const dueAt = this.#session.nextTimeout;
    if (dueAt === undefined || dueAt > now) return;
    this.#session.handleTimeout(now, this.#sources(now));
    this.#flush(now);
  }

  /** Says good-bye (RFC 3550 §6.6). */
  end(now: Instant): void {
    this.#session.bye(now, undefined, this.#sources(now));
    this.#flush(now);
  }

  #sources(now: Instant): RtcpSources {
    return { wallClockMs: this.#options.clock.wallClockMs(), ...this.#options.sources(now) };
  }

  #flush(now: Instant): void {
    const plain = this.#session.takeOutput();
    const { remote, protection } = this.#format;
    if (plain === undefined || remote === undefined) return;
    let data = plain;
    if (protection !== undefined) {
      this.#sealed ??= new Uint8Array(PACKET_BYTES_MAX);
      data = this.#sealed.subarray(0, protection.send.protectRtcp(plain, this.#sealed));
    }
    this.#socket.send(data, remote);
    this.#tap({ direction: "sent", remote, data, plain, at: now });
  }

  #unprotect(data: Uint8Array): Uint8Array | undefined {
    const { protection } = this.#format;
    if (protection === undefined) return data;
    this.#opened ??= new Uint8Array(PACKET_BYTES_MAX);
    if (data.length > this.#opened.length) return undefined;
    const bytes = protection.receive.unprotectRtcp(data, this.#opened);
    return bytes < 0 ? undefined : this.#opened.subarray(0, bytes);
  }

  #tap(packet: {
    readonly at: Instant;
    readonly direction: "sent" | "received";
    readonly remote: SocketAddress;
    readonly data: Uint8Array;
    readonly plain: Uint8Array | undefined;
  }): void {
    const { plain, ...rest } = packet;
    const isEncrypted = plain !== undefined && plain !== packet.data;
    this.#options.onPacket?.({
      ...rest,
      local: this.#socket.local,
      ...(isEncrypted ? { plain } : {}),
    });
  }

  #recordEvent(event: RtcpEvent, at: Instant): void {
    const { record } = this.#options;
    if (event.kind === "report") {
      record({
        kind: "rtcpReport",
        at,
        report: event.report,
        fractionLost: event.fractionLost,
        cumulativeLost: event.cumulativeLost,
        interarrivalJitterMs: event.jitterMs,
        ...(event.rttMs === undefined ? {} : { roundTripMs: event.rttMs }),
      });
    } else if (event.kind === "roundTrip") {
      record({ kind: "rtcpReport", at, report: "XR", roundTripMs: event.rttMs });
    } else if (event.kind === "voipMetrics") {
      const { lossRate, rFactor, mosLq, mosCq } = event.metrics;
      record({
        kind: "rtcpReport",
        at,
        report: "XR",
        fractionLost: lossRate,
        ...(rFactor === undefined ? {} : { rFactor }),
        ...(mosLq === undefined ? {} : { mosLq }),
        ...(mosCq === undefined ? {} : { mosCq }),
      });
    }
  }
}
