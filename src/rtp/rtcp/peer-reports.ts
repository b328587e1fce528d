import type { Instant } from "../../environment/index.ts";
import type { MalformedPacket } from "../packet.ts";
import { PeerMarks } from "./peer-marks.ts";
import type { RoundTrips } from "./round-trips.ts";
import type { RtcpCollisionEvent, RtcpEvent, RtcpReportEvent } from "./rtcp-event.ts";
import {
  type DlrrReport,
  type ExtendedReport,
  type ReceiverReport,
  type ReportBlock,
  type RtcpPacket,
  SDES_CNAME,
  type SenderReport,
  type SourceDescription,
} from "./rtcp-packet.ts";

/** What became of the peer's compound packets. */
export interface PeerReportCounts {
  /** Datagrams that came, malformed ones and collisions included. */
  received: number;
  /** Received ones that could not be read, or not to their end. */
  malformed: number;
  /** Received ones that bear our own SSRC. */
  collisions: number;
  /** Report and XR blocks about other sources than ours: ignored. */
  foreignBlocks: number;
  /** Packets and XR blocks of types that are not read, APP among them. */
  unread: number;
  /** Answers to a time mark that is not ours, or with a hold that cannot be true. */
  unmatchedMarks: number;
}

/** How to make `PeerReports`. */
export interface PeerReportsOptions {
  readonly ssrc: number;
  readonly cname: string;
  readonly roundTrips: RoundTrips;
  /** Of the RTP stream that we send. */
  readonly clockRateHz: number;
}

/** Makes events of what the peer reports, and remembers the time marks that it is to get back. */
export class PeerReports {
  /** NTP times of sender reports, by their source. */
  readonly senderReportMarks: PeerMarks = new PeerMarks();
  /** Receiver reference times, by their source. */
  readonly referenceTimeMarks: PeerMarks = new PeerMarks();
  readonly counts: PeerReportCounts = {
    received: 0,
    malformed: 0,
    collisions: 0,
    foreignBlocks: 0,
    unread: 0,
    unmatchedMarks: 0,
  };
  /** Of the RTP stream that we send: what the peer's jitter is counted in. */
  clockRateHz: number;
  readonly #ssrc: number;
  readonly #cname: string;
  readonly #roundTrips: RoundTrips;
  #peerName: { readonly ssrc: number; readonly cname: string } | undefined;

  constructor(options: PeerReportsOptions) {
    this.#ssrc = options.ssrc;
    this.#cname = options.cname;
    this.#roundTrips = options.roundTrips;
    this.clockRateHz = options.clockRateHz;
  }

  /** Takes what a datagram was decoded to. */
  handle(packets: readonly (RtcpPacket | MalformedPacket)[], now: Instant): RtcpEvent[] {
    this.counts.received += 1;
    if (packets.some((packet) => sourcesOf(packet).includes(this.#ssrc))) {
      this.counts.collisions += 1;
      return [this.#collision(packets)];
    }
    const events: RtcpEvent[] = [];
    for (const packet of packets) this.#handlePacket(packet, now, events);
    return events;
  }

  #handlePacket(packet: RtcpPacket | MalformedPacket, now: Instant, events: RtcpEvent[]): void {
    switch (packet.kind) {
      case "senderReport": {
        const { ssrc, packetCount, octetCount, rtpTimestamp } = packet;
        this.senderReportMarks.note(ssrc, packet.ntp, now);
        events.push({ kind: "senderInfo", ssrc, packetCount, octetCount, rtpTimestamp });
        return this.#handleBlocks(packet, now, events);
      }
      case "receiverReport":
        return this.#handleBlocks(packet, now, events);
      case "sourceDescription":
        return this.#handleDescription(packet, events);
      case "extendedReport":
        return this.#handleExtendedReport(packet, now, events);
      case "bye":
      case "malformed":
        if (packet.kind === "malformed") this.counts.malformed += 1;
        events.push(packet);
        return;
      case "application":
      case "unknown":
        this.counts.unread += 1;
    }
  }

  #handleBlocks(packet: SenderReport | ReceiverReport, now: Instant, events: RtcpEvent[]): void {
    for (const block of packet.blocks) {
      if (block.ssrc === this.#ssrc) events.push(this.#report(packet, block, now));
      else this.counts.foreignBlocks += 1;
    }
  }

  #report(
    packet: SenderReport | ReceiverReport,
    block: ReportBlock,
    now: Instant,
  ): RtcpReportEvent {
    // Zero: the peer received no SR yet (RFC 3550 §6.4.1).
    const isAnswer = block.lastSenderReport !== 0;
    const rttMs = isAnswer
      ? this.#measure(block.lastSenderReport, block.delaySinceLastSenderReport, now)
      : undefined;
    return {
      kind: "report",
      report: packet.kind === "senderReport" ? "SR" : "RR",
      ssrc: packet.ssrc,
      fractionLost: block.fractionLost,
      cumulativeLost: block.cumulativeLost,
      jitterMs: (block.jitterTicks * 1000) / this.clockRateHz,
      extendedHighestSequenceNumber: block.extendedHighestSequenceNumber,
      ...(rttMs !== undefined && { rttMs }),
    };
  }

  #measure(mark: number, heldFor: number, now: Instant): number | undefined {
    const rttMs = this.#roundTrips.measure(mark, heldFor, now);
    if (rttMs === undefined) this.counts.unmatchedMarks += 1;
    return rttMs;
  }

  #handleDescription(packet: SourceDescription, events: RtcpEvent[]): void {
    for (const { ssrc, items } of packet.chunks) {
      const cname = items.find((item) => item.type === SDES_CNAME)?.text;
      const isKnown = this.#peerName?.ssrc === ssrc && this.#peerName.cname === cname;
      if (cname !== undefined && !isKnown) {
        this.#peerName = { ssrc, cname };
        events.push({ kind: "description", ssrc, cname });
      }
    }
  }

  #handleExtendedReport(packet: ExtendedReport, now: Instant, events: RtcpEvent[]): void {
    const { ssrc, blocks } = packet;
    for (const block of blocks) {
      switch (block.kind) {
        case "receiverReferenceTime":
          this.referenceTimeMarks.note(ssrc, block.ntp, now);
          break;
        case "delaySinceLastRr":
          for (const report of block.reports) this.#handleDlrr(ssrc, report, { now, events });
          break;
        case "voipMetrics":
          if (block.ssrc !== this.#ssrc) this.counts.foreignBlocks += 1;
          else events.push({ kind: "voipMetrics", ssrc, metrics: block.metrics });
          break;
        case "unknown":
          this.counts.unread += 1;
      }
    }
  }

  #handleDlrr(
    ssrc: number,
    report: DlrrReport,
    { now, events }: { readonly now: Instant; readonly events: RtcpEvent[] },
  ): void {
    if (report.ssrc !== this.#ssrc) {
      this.counts.foreignBlocks += 1;
      return;
    }
    // Zero: the peer received no reference time yet (RFC 3611 §4.5).
    if (report.lastReceiverReport === 0) return;
    const { lastReceiverReport, delaySinceLastReceiverReport } = report;
    const rttMs = this.#measure(lastReceiverReport, delaySinceLastReceiverReport, now);
    if (rttMs !== undefined) events.push({ kind: "roundTrip", ssrc, rttMs });
  }

  #collision(packets: readonly (RtcpPacket | MalformedPacket)[]): RtcpCollisionEvent {
    const isEcho = packets.some(
      (packet) =>
        packet.kind === "sourceDescription" &&
        packet.chunks.some(
          ({ ssrc, items }) =>
            ssrc === this.#ssrc &&
            items.some((item) => item.type === SDES_CNAME && item.text === this.#cname),
        ),
    );
    return { kind: "ssrcCollision", ssrc: this.#ssrc, isEcho };
  }
}

/** In whose name a packet speaks. */
function sourcesOf(packet: RtcpPacket | MalformedPacket): readonly number[] {
  switch (packet.kind) {
    case "bye":
      return packet.ssrcs;
    case "sourceDescription":
      return packet.chunks.map((chunk) => chunk.ssrc);
    case "unknown":
    case "malformed":
      return [];
    case "senderReport":
    case "receiverReport":
    case "application":
    case "extendedReport":
    default:
      return [packet.ssrc];
  }
}
