import type { Instant } from "../environment/index.ts";
import type { Fact, FactOf, MediaStatisticsFact, Party } from "../timeline/index.ts";
import type { BridgeMetrics, InstrumentMetrics, MediaMetrics } from "./call-metrics.ts";
import { factsOf } from "./facts-of.ts";
import { optional } from "./optional.ts";
import { measurePlayout } from "./stalls.ts";
import { betweenMs, roundMs } from "./time-spans.ts";

const PARTIES: readonly Party[] = ["caller", "bot"];

/** What each end counted of its media session, as it said when it ended. */
export function measureMedia(facts: readonly Fact[]): MediaMetrics[] {
  return PARTIES.flatMap((party) => {
    const counted = factsOf(facts, "mediaStatistics", party).at(-1);
    return counted === undefined ? [] : [mediaOf(counted, facts)];
  });
}

/** How well each end kept time: what its media clock and its event loop said of themselves. */
export function measureInstrument(facts: readonly Fact[]): InstrumentMetrics[] {
  return PARTIES.flatMap((party) => {
    const counted = factsOf(facts, "mediaStatistics", party).at(-1);
    return counted === undefined ? [] : [instrumentOf(counted, facts)];
  });
}

/** How steadily the bot's bridge had something to play, and audio to hand on. */
export function measureBridge(facts: readonly Fact[]): BridgeMetrics | undefined {
  const playout = factsOf(facts, "playout", "bot");
  const clock = factsOf(facts, "aiInputClock", "bot").at(-1);
  if (playout.length === 0 && clock === undefined) return undefined;
  const played = measurePlayout(playout);
  return {
    underruns: played.stalls.length,
    underrunMs: roundMs(played.stalls.reduce((sum, { ms }) => sum + ms, 0)),
    playout: played,
    filledMs: clock?.filledMs ?? 0,
    appendedMs: clock?.appendedMs ?? 0,
  };
}

function mediaOf(counted: MediaStatisticsFact, facts: readonly Fact[]): MediaMetrics {
  const started = factsOf(facts, "mediaStarted", counted.party)[0];
  const report = factsOf(facts, "rtcpReport", counted.party).findLast(
    (each) => each.report !== "XR",
  );
  return {
    party: counted.party,
    ...optional("codec", started?.codec),
    ...optional("ptimeMs", started?.ptimeMs),
    ...optional("srtpSuite", started?.srtpSuite),
    ...optional("rtcp", started?.rtcp),
    ...optional("jitterBuffer", started?.jitterBuffer),
    ...optional("playoutDelayMs", started?.playoutDelayMs),
    packetsSent: counted.packetsSent,
    packetsReceived: counted.packetsReceived,
    packetsExpected: counted.packetsExpected,
    lost: counted.lost,
    lossRatio: counted.packetsExpected > 0 ? counted.lost / counted.packetsExpected : 0,
    played: counted.played,
    late: counted.late,
    discarded: counted.discarded,
    duplicate: counted.duplicate,
    other: counted.other,
    outOfOrder: counted.outOfOrder,
    malformed: counted.malformed,
    foreign: counted.foreign,
    unknownPayload: counted.unknownPayload,
    srtpRejected: counted.srtpRejected,
    sendErrors: counted.sendErrors,
    interarrivalJitterMs: counted.interarrivalJitterMs,
    burstDensity: counted.burstDensity,
    gapDensity: counted.gapDensity,
    concealedMs: counted.concealedMs,
    fecRecoveredMs: counted.fecRecoveredMs,
    comfortNoiseMs: counted.comfortNoiseMs,
    insertedMs: counted.insertedMs,
    skippedMs: counted.skippedMs,
    ...optional("driftPpm", counted.driftPpm),
    jitterBufferMsMean: counted.jitterBufferMsMean,
    jitterBufferMsMax: counted.jitterBufferMsMax,
    rtcpSent: counted.rtcpSent,
    rtcpReceived: counted.rtcpReceived,
    ...optional("roundTripMsMin", counted.roundTripMsMin),
    ...optional("roundTripMsMean", counted.roundTripMsMean),
    ...optional("roundTripMsMax", counted.roundTripMsMax),
    ...(report === undefined
      ? {}
      : {
          reportedByPeer: {
            cumulativeLost: report.cumulativeLost ?? 0,
            interarrivalJitterMs: report.interarrivalJitterMs ?? 0,
          },
        }),
  };
}

const SHARE_ABOVE_P99 = 0.01;
/** Of sums of shares. */
const ROUNDING = 1e-9;

function instrumentOf(counted: MediaStatisticsFact, facts: readonly Fact[]): InstrumentMetrics {
  const lag = factsOf(facts, "instrument", counted.party);
  return {
    party: counted.party,
    departureJitterMsP99: counted.departureJitterMsP99,
    departureJitterMsMax: counted.departureJitterMsMax,
    missedDeadlines: counted.missedDeadlines,
    eventLoopLagMsP99: lagMsP99(
      lag,
      factsOf(facts, "mediaStarted", counted.party)[0]?.at ?? counted.at,
    ),
    eventLoopLagMsMax: Math.max(0, ...lag.map(({ eventLoopLagMsMax }) => eventLoopLagMsMax)),
    ...optional("sentAudioRatio", sentAudioRatio(counted, facts)),
  };
}

/** What an end told of its event loop, for the time since it last told. */
type LagTelling = Pick<FactOf<"instrument">, "at" | "eventLoopLagMsP99" | "eventLoopLagMsMax">;

/**
 * The least that the lag was above for at most 1 % of the time, as far as its tellings can say: the
 * whole time of one whose own p99 is above counts, and 1 % of one whose maximum alone is.
 *
 * @param since begins the first telling's time.
 */
export function lagMsP99(tellings: readonly LagTelling[], since: Instant): number {
  const told = tellings.map((each, index) => ({
    ...each,
    ms: betweenMs(tellings[index - 1]?.at ?? since, each.at),
  }));
  const all = told.reduce((sum, { ms }) => sum + ms, 0);
  const msAbove = (lagMs: number): number =>
    told.reduce((sum, { ms, eventLoopLagMsP99: p99, eventLoopLagMsMax: max }) => {
      if (max <= lagMs) return sum;
      return sum + (p99 <= lagMs ? SHARE_ABOVE_P99 * ms : ms);
    }, 0);
  const values = told.flatMap(({ eventLoopLagMsP99, eventLoopLagMsMax }) => [
    eventLoopLagMsP99,
    eventLoopLagMsMax,
  ]);
  const limit = (SHARE_ABOVE_P99 + ROUNDING) * all;
  return values.toSorted((a, b) => a - b).find((lagMs) => msAbove(lagMs) <= limit) ?? 0;
}

/** The last packet counts from its departure, hence one packet time more has been sent. */
function sentAudioRatio(counted: MediaStatisticsFact, facts: readonly Fact[]): number | undefined {
  const ptimeMs = factsOf(facts, "mediaStarted", counted.party)[0]?.ptimeMs;
  const firstAt = factsOf(facts, "rtpFlow", counted.party).find(
    ({ direction, event }) => direction === "sent" && event === "first",
  )?.at;
  if (ptimeMs === undefined || firstAt === undefined) return undefined;
  const passedMs = betweenMs(firstAt, counted.at);
  return passedMs > 0 ? (counted.packetsSent * ptimeMs) / passedMs : undefined;
}
