import {
  type CallMetrics,
  formatMs,
  type InstrumentMetrics,
  type MediaMetrics,
} from "../../measure/index.ts";
import { CALL_FILES, type Fact, type FactOf } from "../../timeline/index.ts";
import type { SeekLink } from "./call-tables.ts";
import { html, type Markup } from "./markup.ts";
import { table } from "./table.ts";

/** What of a call the media tables are made of. */
export interface MediaView {
  readonly id: string;
  readonly metrics: CallMetrics;
  readonly facts: readonly Fact[];
}

/** Media as agreed on, packets in the words of RFC 3611, keys, and how well we kept time ourselves. */
export function mediaTables({ id, metrics, facts }: MediaView, seek: SeekLink): Markup | undefined {
  const { media, instrument } = metrics;
  if (media.length === 0) return undefined;
  return html`<details class="more"><summary>Media and instrument</summary>
${agreedTable(metrics)}${packetTable(media)}${refusedTable(media)}${heardTable(metrics)}
${digitTable(facts, seek)}${timingTable(instrument)}${captureLinks(id, media)}</details>`;
}

function agreedTable(metrics: CallMetrics): Markup | undefined {
  return table(
    "Media, as each side sends them, and RTCP",
    ["At", "Codec", "Packets", "Encryption", "RTCP", "Reports", "Round trip", "The peer missed"],
    metrics.media.map((own) => [
      own.party,
      own.codec,
      own.ptimeMs === undefined ? "–" : `${own.ptimeMs} ms`,
      own.srtpSuite ?? "none",
      own.rtcp === undefined ? "–" : RTCP_WORDS[own.rtcp],
      `${own.rtcpSent} sent, ${own.rtcpReceived} received`,
      roundTripWords(own),
      own.reportedByPeer === undefined
        ? "no report"
        : `${own.reportedByPeer.cumulativeLost}, jitter ${tenths(own.reportedByPeer.interarrivalJitterMs)}`,
    ]),
  );
}

const RTCP_WORDS = {
  mux: "on the RTP port",
  separate: "on a port of its own",
  off: "none",
} as const;

function roundTripWords({ roundTripMsMin, roundTripMsMean, roundTripMsMax }: MediaMetrics): string {
  if (roundTripMsMean === undefined) return "none measured";
  return `${tenths(roundTripMsMean)} (${tenths(roundTripMsMin)} to ${tenths(roundTripMsMax)})`;
}

function packetTable(media: readonly MediaMetrics[]): Markup | undefined {
  return table(
    "Packets: received = played + late + discarded + duplicate + other; expected = received − duplicate + lost",
    [
      "At",
      "Sent",
      "Expected",
      "Lost",
      "Received",
      "Played",
      "Late",
      "Discarded",
      "Duplicate",
      "Other",
      "Out of order",
      "Jitter",
      "In bursts, in gaps",
    ],
    media.map((own) => [
      own.party,
      own.packetsSent,
      own.packetsExpected,
      own.lost,
      own.packetsReceived,
      own.played,
      own.late,
      own.discarded,
      own.duplicate,
      own.other,
      own.outOfOrder,
      tenths(own.interarrivalJitterMs),
      `${percent(own.burstDensity)}, ${percent(own.gapDensity)}`,
    ]),
  );
}

/** Only where something came that was not the peer's stream: usually nothing. */
function refusedTable(media: readonly MediaMetrics[]): Markup | undefined {
  const rows = media.map((own) => [
    own.party,
    own.malformed,
    own.foreign,
    own.unknownPayload,
    own.srtpRejected,
    own.sendErrors,
  ]);
  return table(
    "Not counted as received, and not sent",
    ["At", "Malformed", "From elsewhere", "Unknown payload", "Refused by SRTP", "Not sent"],
    rows.some(([, ...counts]) => counts.some((count) => count !== 0)) ? rows : [],
  );
}

function heardTable({ media, bridge }: CallMetrics): Markup | undefined {
  return table(
    "What was made of it",
    [
      "At",
      "Jitter buffer",
      "Delay, mean (most)",
      "Concealed",
      "Recovered by FEC",
      "Comfort noise",
      "Inserted",
      "Left out",
      "Sender's clock",
    ],
    media.map((own) => {
      const isBridged = own.party === "bot" && bridge !== undefined;
      return [
        own.party,
        isBridged ? "none: to the AI at once" : own.jitterBuffer,
        isBridged ? "–" : `${tenths(own.jitterBufferMsMean)} (${tenths(own.jitterBufferMsMax)})`,
        formatMs(own.concealedMs),
        formatMs(own.fecRecoveredMs),
        formatMs(own.comfortNoiseMs),
        formatMs(own.insertedMs),
        formatMs(own.skippedMs),
        own.driftPpm === undefined ? "–" : `${Math.round(own.driftPpm)} ppm`,
      ];
    }),
  );
}

function digitTable(facts: readonly Fact[], seek: SeekLink): Markup | undefined {
  const digits = facts.filter((fact): fact is FactOf<"digit"> => fact.kind === "digit");
  return table(
    "Telephone keys",
    ["Pressed", "Key", "How", "For", "Seen by"],
    digits.map((digit) => [
      seek(digit.at),
      digit.digit,
      DIGIT_WORDS[digit.method],
      formatMs(digit.durationMs),
      `the ${digit.party}, ${digit.direction}`,
    ]),
  );
}

/** How a key crossed, in the words of the steps. */
export const DIGIT_WORDS: Readonly<Record<FactOf<"digit">["method"], string>> = {
  "telephone-event": "telephone event",
  "in-band": "in-band",
  info: "SIP INFO",
};

function timingTable(instrument: readonly InstrumentMetrics[]): Markup | undefined {
  return table(
    "Our own timing",
    ["At", "Departure p99", "Departure max", "Missed deadlines", "Loop lag p99", "Loop lag max"],
    instrument.map((own) => [
      own.party,
      tenths(own.departureJitterMsP99),
      tenths(own.departureJitterMsMax),
      own.missedDeadlines,
      tenths(own.eventLoopLagMsP99),
      tenths(own.eventLoopLagMsMax),
    ]),
  );
}

/** The decrypted capture is written where the end that is captured encrypted its media. */
function captureLinks(id: string, media: readonly MediaMetrics[]): Markup {
  const folder = `calls/${encodeURIComponent(id)}`;
  const decrypted =
    media[0]?.srtpSuite === undefined
      ? undefined
      : html`, and with the media decrypted:
<a href="${folder}/${CALL_FILES.plainPcap}">${CALL_FILES.plainPcap}</a>`;
  return html`<p class="small muted">Captured at the ${media[0]?.party}:
<a href="${folder}/${CALL_FILES.pcap}">${CALL_FILES.pcap}</a>${decrypted}</p>`;
}

function tenths(ms: number | undefined): string {
  return ms === undefined ? "–" : `${ms.toFixed(1)} ms`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
