import type { Instant, Random } from "../../environment/index.ts";
import type { SourceReception } from "../reception-statistics.ts";
import { decodeRtcp } from "./decode-rtcp.ts";
import { encodeRtcp } from "./encode-rtcp.ts";
import { middleBits, ntpTimestamp } from "./ntp.ts";
import { type PeerReportCounts, PeerReports } from "./peer-reports.ts";
import { ReceptionBlocks } from "./reception-blocks.ts";
import { type Membership, ReportSchedule } from "./report-schedule.ts";
import { type RoundTripStatistics, RoundTrips } from "./round-trips.ts";
import type { RtcpEvent } from "./rtcp-event.ts";
import {
  type NtpTimestamp,
  type ReportBlock,
  type RtcpPacket,
  SDES_CNAME,
  type XrBlock,
} from "./rtcp-packet.ts";
import { type SentSource, SentStream } from "./sent-stream.ts";
import type { VoipMetrics } from "./voip-metrics.ts";

/** How to make an `RtcpSession`. */
export interface RtcpSessionOptions {
  /** Of the RTP stream that we send. */
  readonly ssrc: number;
  /** See `randomCname`. */
  readonly cname: string;
  readonly random: Random;
  /** Of the RTP stream that we send, and of the received one if nothing else is said. */
  readonly clockRateHz: number;
  readonly receiveClockRateHz?: number;
  /** The mean interval between reports, the first one after about half of it; default 5000. */
  readonly minIntervalMs?: number;
  /**
   * For the RTCP of both ends together. Default 500: 5 % of the 80 kbit/s that G.711 takes, which
   * allows for a mean interval of about 0.6 s, however small `minIntervalMs` is.
   */
  readonly bandwidthBytesPerSecond?: number;
  /** Sends XR: VoIP metrics, and what measures round trips without sender reports. */
  readonly xr?: boolean;
}

/** What a report is made of; to be given when one may be due. */
export interface RtcpSources {
  readonly wallClockMs: number;
  /** What we sent; default: what `handleSent` counted. */
  readonly sent?: SentSource | undefined;
  /** What we received from the source that we hear at present. */
  readonly reception?: SourceReception | undefined;
  /** About `reception`; sent only where XR is on. */
  readonly voip?: VoipMetrics | undefined;
}

/** What became of compound packets, ours and the peer's. */
export interface RtcpCounts extends PeerReportCounts {
  /** Taken with `takeOutput`. */
  readonly sent: number;
}

const DEFAULT_MIN_INTERVAL_MS = 5000;
const DEFAULT_BANDWIDTH_BYTES_PER_SECOND = 500;
/** SR, block, CNAME of 255 octets, XR with all its blocks, BYE with a reason of 255: under 800. */
const OUTPUT_BYTES = 1024;

/**
 * One end of the RTCP of a two-party call (RFC 3550 §6, RFC 3611).
 *
 * It makes reports when they are due, reads those of the peer, and measures round trips on the
 * monotonic clock. On hold nothing changes but the kind of report, RR instead of SR: they keep the
 * path open. It knows no socket, no encryption and nothing of SDP.
 */
export class RtcpSession {
  readonly #ssrc: number;
  readonly #cname: string;
  readonly #xr: boolean;
  readonly #schedule: ReportSchedule;
  readonly #sentStream: SentStream;
  readonly #receptionBlocks = new ReceptionBlocks();
  readonly #roundTrips = new RoundTrips();
  readonly #peer: PeerReports;
  readonly #output = new Uint8Array(OUTPUT_BYTES);
  #receiveClockRateHz: number;
  #outputBytes = 0;
  #sentCompounds = 0;
  #state: "new" | "running" | "ended" = "new";
  #hasReported = false;
  /** RTP packets sent when the last report was made, and when the one before it was. */
  #packetsAtReport = 0;
  #packetsAtReportBefore = 0;
  #isPeerHeard = false;
  #isPeerSending = false;

  constructor(options: RtcpSessionOptions) {
    const { ssrc, cname, clockRateHz } = options;
    this.#ssrc = ssrc;
    this.#cname = cname;
    this.#xr = options.xr ?? false;
    this.#sentStream = new SentStream(clockRateHz);
    this.#receiveClockRateHz = options.receiveClockRateHz ?? clockRateHz;
    this.#peer = new PeerReports({ ssrc, cname, clockRateHz, roundTrips: this.#roundTrips });
    this.#schedule = new ReportSchedule({
      random: options.random,
      minIntervalMs: options.minIntervalMs ?? DEFAULT_MIN_INTERVAL_MS,
      bandwidthBytesPerSecond:
        options.bandwidthBytesPerSecond ?? DEFAULT_BANDWIDTH_BYTES_PER_SECOND,
    });
  }

  get counts(): RtcpCounts {
    return { sent: this.#sentCompounds, ...this.#peer.counts };
  }

  /** The last round trip measured. */
  get rttMs(): number | undefined {
    return this.#roundTrips.statistics.lastMs;
  }

  get roundTrips(): RoundTripStatistics {
    return this.#roundTrips.statistics;
  }

  /** When `handleTimeout` is to be called; `undefined` before the start and after the end. */
  get nextTimeout(): Instant | undefined {
    return this.#schedule.nextTimeout;
  }

  /** Begins to report; a second call does nothing. */
  start(now: Instant): void {
    if (this.#state !== "new") return;
    this.#state = "running";
    this.#schedule.start(now, this.#membership(this.#sentStream));
  }

  /** Another codec was negotiated: what the RTP clocks run at from now on. */
  setClockRates(sendHz: number, receiveHz: number): void {
    this.#sentStream.clockRateHz = sendHz;
    this.#peer.clockRateHz = sendHz;
    this.#receiveClockRateHz = receiveHz;
  }

  /** Counts an RTP packet of ours that leaves now. */
  handleSent(rtpTimestamp: number, payloadBytes: number, now: Instant): void {
    this.#sentStream.handleSent(rtpTimestamp, payloadBytes, now);
  }

  /** Takes a datagram of the peer that arrived at `now`. Never throws, whatever it holds. */
  handlePacket(data: Uint8Array, now: Instant): RtcpEvent[] {
    const decoded = decodeRtcp(data);
    if (!Array.isArray(decoded)) return this.#peer.handle([decoded], now);
    this.#isPeerHeard = true;
    this.#schedule.handleReceived(data.length);
    return this.#peer.handle(decoded, now);
  }

  /** Makes a report if one is due; `takeOutput` then has it. */
  handleTimeout(now: Instant, sources: RtcpSources): void {
    const sent = sources.sent ?? this.#sentStream;
    if (!this.#schedule.isDue(now, this.#membership(sent))) return;
    this.#outputBytes = encodeRtcp(this.#compound(now, sources), this.#output);
    this.#packetsAtReportBefore = this.#packetsAtReport;
    this.#packetsAtReport = sent.packets;
    this.#hasReported = true;
    this.#schedule.handleSent(now, this.#outputBytes, this.#membership(sent));
  }

  /**
   * Ends the session with a last report, an empty one where no sources are given, and a BYE, for
   * `takeOutput`. Who never sent anything says no good-bye (RFC 3550 §6.3.7).
   */
  bye(now: Instant, reason?: string, sources?: RtcpSources): void {
    const wasRunning = this.#state === "running";
    this.#state = "ended";
    this.#schedule.stop();
    this.#outputBytes = 0;
    const { packets } = sources?.sent ?? this.#sentStream;
    if (!wasRunning || (!this.#hasReported && packets === 0)) return;
    const compound: RtcpPacket[] =
      sources === undefined
        ? [{ kind: "receiverReport", ssrc: this.#ssrc, blocks: [] }, this.#description()]
        : this.#compound(now, sources);
    compound.push({ kind: "bye", ssrcs: [this.#ssrc], ...(reason !== undefined && { reason }) });
    this.#outputBytes = encodeRtcp(compound, this.#output);
  }

  /** The compound packet to send, once; valid until the next call. */
  takeOutput(): Uint8Array | undefined {
    if (this.#outputBytes === 0) return undefined;
    const packet = this.#output.subarray(0, this.#outputBytes);
    this.#outputBytes = 0;
    this.#sentCompounds += 1;
    return packet;
  }

  /** A sender is who sent within the last two intervals (RFC 3550 §6.3.8, §6.4). */
  #isSender(sent: SentSource): boolean {
    return sent.packets > this.#packetsAtReportBefore;
  }

  #membership(sent: SentSource): Membership {
    const weSent = this.#isSender(sent);
    return {
      members: this.#isPeerHeard || this.#isPeerSending ? 2 : 1,
      senders: (weSent ? 1 : 0) + (this.#isPeerSending ? 1 : 0),
      weSent,
    };
  }

  /** SR or RR first, then always the CNAME (RFC 3550 §6.1). */
  #compound(now: Instant, sources: RtcpSources): RtcpPacket[] {
    const ntp = ntpTimestamp(sources.wallClockMs);
    const sent = sources.sent ?? this.#sentStream;
    const isSender = this.#isSender(sent);
    const blocks = this.#blocks(now, sources.reception);
    const report = isSender
      ? this.#senderReport({ ntp, now, sent, blocks })
      : ({ kind: "receiverReport", ssrc: this.#ssrc, blocks } as const);
    const xrBlocks = this.#xr ? this.#xrBlocks(now, sources, isSender ? undefined : ntp) : [];
    if (isSender || this.#xr) this.#roundTrips.noteSent(middleBits(ntp), now);
    const compound: RtcpPacket[] = [report, this.#description()];
    if (xrBlocks.length > 0) {
      compound.push({ kind: "extendedReport", ssrc: this.#ssrc, blocks: xrBlocks });
    }
    return compound;
  }

  #senderReport(parts: {
    readonly ntp: NtpTimestamp;
    readonly now: Instant;
    readonly sent: SentSource;
    readonly blocks: readonly ReportBlock[];
  }): RtcpPacket {
    return {
      kind: "senderReport",
      ssrc: this.#ssrc,
      ntp: parts.ntp,
      rtpTimestamp: parts.sent.rtpTimestampAt(parts.now),
      packetCount: parts.sent.packets,
      octetCount: parts.sent.octets,
      blocks: parts.blocks,
    };
  }

  #description(): RtcpPacket {
    const items = [{ type: SDES_CNAME, text: this.#cname }];
    return { kind: "sourceDescription", chunks: [{ ssrc: this.#ssrc, items }] };
  }

  #blocks(now: Instant, reception: SourceReception | undefined): ReportBlock[] {
    this.#isPeerSending = reception !== undefined && this.#receptionBlocks.isNew(reception);
    if (reception === undefined || !this.#isPeerSending) return [];
    const held = this.#peer.senderReportMarks.held(reception.ssrc, now);
    return [this.#receptionBlocks.next(reception, held, this.#receiveClockRateHz)];
  }

  /** @param referenceTime is given where no SR carries it. */
  #xrBlocks(
    now: Instant,
    sources: RtcpSources,
    referenceTime: NtpTimestamp | undefined,
  ): XrBlock[] {
    const blocks: XrBlock[] = [];
    if (referenceTime !== undefined) {
      blocks.push({ kind: "receiverReferenceTime", ntp: referenceTime });
    }
    const reports = this.#peer.referenceTimeMarks.takeAll(now).map((held) => ({
      ssrc: held.ssrc,
      lastReceiverReport: held.mark,
      delaySinceLastReceiverReport: held.heldFor,
    }));
    if (reports.length > 0) blocks.push({ kind: "delaySinceLastRr", reports });
    if (sources.voip !== undefined && sources.reception !== undefined) {
      const { ssrc } = sources.reception;
      blocks.push({ kind: "voipMetrics", ssrc, metrics: sources.voip });
    }
    return blocks;
  }
}
