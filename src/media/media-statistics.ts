import { assert, type Instant } from "../environment/index.ts";
import type { BurstMetrics } from "../rtp/index.ts";
import type { FactDraft, MediaStatisticsFact } from "../timeline/index.ts";
import type { IngressPath } from "./ingress-path.ts";
import type { MediaStreams } from "./media-streams.ts";
import type { PlayoutPath } from "./playout-path.ts";

/** What is counted at the end of a call; one of the two paths is there. */
export interface CountedMedia {
  readonly streams: MediaStreams;
  readonly playout: PlayoutPath | undefined;
  readonly ingress: IngressPath | undefined;
}

/** What a path did with what came. */
type PathCounts = Pick<
  MediaStatisticsFact,
  | "packetsReceived"
  | "packetsExpected"
  | "played"
  | "lost"
  | "late"
  | "discarded"
  | "duplicate"
  | "other"
  | "lossRuns"
  | "concealedMs"
  | "fecRecoveredMs"
  | "comfortNoiseMs"
  | "insertedMs"
  | "skippedMs"
  | "driftPpm"
  | "jitterBufferMsMean"
  | "jitterBufferMsMax"
> &
  Omit<BurstMetrics, "bursts">;

/** States one session's counts (docs/media.md). */
export function mediaStatistics(counted: CountedMedia, at: Instant): FactDraft {
  const { streams } = counted;
  const { sender, receiver, rtcp } = streams;
  const repeated = streams.srtpRepeated;
  const network = receiver.statistics.snapshot();
  return {
    kind: "mediaStatistics",
    at,
    packetsSent: sender.packets,
    bytesSent: sender.octets,
    sendErrors: streams.sendErrors,
    ...withRepeated(pathCounts(counted), repeated),
    outOfOrder: network.outOfOrder,
    malformed: receiver.malformed + (counted.playout?.undecodable ?? 0),
    foreign: streams.foreign,
    unknownPayload: receiver.unknownPayload,
    srtpRejected: streams.srtpRejected - repeated.replayed - repeated.tooOld,
    interarrivalJitterMs: network.interarrivalJitterMs,
    rtcpSent: rtcp?.counts.sent ?? 0,
    rtcpReceived: rtcp?.counts.received ?? 0,
    rtcpMalformed: rtcp?.counts.malformed ?? 0,
    ...roundTrips(streams),
    departureJitterMsP50: sender.departures.quantileMs(0.5),
    departureJitterMsP99: sender.departures.quantileMs(0.99),
    departureJitterMsMax: sender.departures.maxMs,
    missedDeadlines: sender.departures.missedDeadlines,
  };
}

/** What SRTP refused as repeated or too old never came to the buffer, but it did come. */
function withRepeated(
  counts: PathCounts,
  { replayed, tooOld }: MediaStreams["srtpRepeated"],
): PathCounts {
  return {
    ...counts,
    packetsReceived: counts.packetsReceived + replayed + tooOld,
    duplicate: counts.duplicate + replayed,
    late: counts.late + tooOld,
    lost: counts.lost - tooOld,
  };
}

function roundTrips({ rtcp }: MediaStreams): Partial<MediaStatisticsFact> {
  const { minMs, meanMs, maxMs } = rtcp?.roundTrips ?? {};
  if (minMs === undefined || meanMs === undefined || maxMs === undefined) return {};
  return { roundTripMsMin: minMs, roundTripMsMean: meanMs, roundTripMsMax: maxMs };
}

function pathCounts({ playout, ingress }: CountedMedia): PathCounts {
  if (playout !== undefined) return playoutCounts(playout);
  assert(ingress !== undefined, "one of the two paths is open");
  const { counts } = ingress;
  return {
    packetsReceived: counts.received,
    packetsExpected: counts.expected,
    played: counts.passed,
    lost: counts.lost,
    late: counts.late,
    discarded: counts.discarded,
    duplicate: counts.duplicate,
    other: counts.other,
    burstDensity: 0,
    gapDensity: 0,
    burstDurationMs: 0,
    gapDurationMs: 0,
    lossRuns: 0,
    concealedMs: ingress.concealedMs,
    fecRecoveredMs: ingress.fecRecoveredMs,
    comfortNoiseMs: 0,
    insertedMs: 0,
    skippedMs: 0,
    jitterBufferMsMean: 0,
    jitterBufferMsMax: 0,
  };
}

function playoutCounts(playout: PlayoutPath): PathCounts {
  const { counts, heard, delay, driftPpm, bursts } = playout;
  const { burstDensity, gapDensity, burstDurationMs, gapDurationMs, lossRuns } = bursts;
  return {
    packetsReceived: counts.received,
    packetsExpected: counts.expected,
    played: counts.played,
    lost: counts.lost,
    late: counts.late,
    discarded: counts.discarded,
    duplicate: counts.duplicate,
    other: counts.other,
    burstDensity,
    gapDensity,
    burstDurationMs,
    gapDurationMs,
    lossRuns,
    concealedMs: heard.concealedMs,
    fecRecoveredMs: heard.fecRecoveredMs,
    comfortNoiseMs: heard.comfortNoiseMs,
    insertedMs: counts.insertedMs,
    skippedMs: counts.skippedMs,
    ...(driftPpm === undefined ? {} : { driftPpm }),
    jitterBufferMsMean: delay.meanMs,
    jitterBufferMsMax: delay.maxMs,
  };
}
