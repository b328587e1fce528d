import { type PlacedAudio, SILENCE_DBOV } from "../audio/index.ts";
import { elapsedMs, type Instant, instant } from "../environment/index.ts";
import {
  analyseSignal,
  codecDelayMs,
  estimateRating,
  findTempoChanges,
  type RatingEstimate,
  type SignalQuality,
} from "../quality/index.ts";
import type { Fact, MediaStatisticsFact, Party } from "../timeline/index.ts";
import type { QualityMetrics, RatingMetrics, SignalMetrics, TempoMetrics } from "./call-quality.ts";
import type { CallRecord, RecordedAudio } from "./call-record.ts";
import type { DelayMetrics } from "./delay-metrics.ts";
import { factsOf } from "./facts-of.ts";
import type { Observations } from "./observations.ts";
import { optional } from "./optional.ts";
import { roundMs } from "./time-spans.ts";

const PARTIES: readonly Party[] = ["caller", "bot"];
/** So many places of each fault stand in the metrics. */
const PLACES_MAX = 20;

/**
 * How good the call sounded: the E-model's estimate for what each end of ours received, the signal of
 * both speakers where speech is heard, and the tempo of the bot's speech.
 */
export function measureQuality(
  { facts, recording, delays }: Pick<Observations, "facts" | "recording" | "delays">,
  record: CallRecord,
): QualityMetrics {
  return {
    ratings: PARTIES.flatMap((party) => {
      const delay = delays.find(({ heardBy }) => heardBy === party);
      const rating = ratingOf(party, facts, delay);
      return rating === undefined ? [] : [rating];
    }),
    signals:
      recording === undefined
        ? []
        : [
            signalOf("caller", recording.left, recording),
            signalOf("bot", recording.right, recording),
          ],
    tempo: tempoOf(
      record,
      delays.find(({ heardBy }) => heardBy === "caller"),
    ),
  };
}

function tempoOf({ audio, botAudio }: CallRecord, delay: DelayMetrics | undefined): TempoMetrics[] {
  if (audio === undefined || botAudio === undefined || delay === undefined) return [];
  const anchors = delay.points.map(({ at, delayMs }) => ({ atMs: elapsedMs(ZERO, at), delayMs }));
  return findTempoChanges(rightOf(botAudio), rightOf(audio), anchors).map(
    ({ fromMs, toMs, ratio, shiftMs }) => ({
      startAt: instant(roundMs(fromMs)),
      endAt: instant(roundMs(toMs)),
      ratio: thousandths(ratio),
      shiftMs: roundMs(shiftMs),
    }),
  );
}

function rightOf({ right: samples, sampleRateHz, startedAt }: RecordedAudio): PlacedAudio {
  return { samples, sampleRateHz, startMs: roundMs(startedAt) };
}

const ZERO = instant(0);

/** The estimate needs what the end counted, the codec, and what is known of the delay. */
function ratingOf(
  party: Party,
  facts: readonly Fact[],
  measured: DelayMetrics | undefined,
): RatingMetrics | undefined {
  const counted = factsOf(facts, "mediaStatistics", party).at(-1);
  const media = lastCodec(party, facts);
  if (counted === undefined || media === undefined || counted.packetsExpected === 0)
    return undefined;
  const { codec, ptimeMs } = media;
  const loss = lossOf(counted, ptimeMs);
  const delay = delayOf(party, { counted, ptimeMs, codec, measured });
  const estimate = estimateRating({ codec, ...loss, delayMs: delay.ms });
  if (estimate === undefined) return undefined;
  return { ...rounded(estimate), party, codec, ...loss, delayFrom: delay.from };
}

/**
 * Mouth to ear. Where both ends were recorded it was measured: what the bot sent is placed from its
 * departure on, so its packet's own time comes to it; what the caller sent is placed before it.
 */
function delayOf(
  party: Party,
  known: {
    readonly counted: MediaStatisticsFact;
    readonly ptimeMs: number;
    readonly codec: string;
    readonly measured: DelayMetrics | undefined;
  },
): { readonly ms: number; readonly from: RatingMetrics["delayFrom"] } {
  const { counted, ptimeMs, measured } = known;
  if (measured !== undefined) {
    return { ms: measured.medianMs + (party === "caller" ? ptimeMs : 0), from: "measured" };
  }
  const networkMs = counted.roundTripMsMean === undefined ? 0 : counted.roundTripMsMean / 2;
  return {
    ms: ptimeMs + codecDelayMs(known.codec) + networkMs + counted.jitterBufferMsMean,
    from: counted.roundTripMsMean === undefined ? "incomplete" : "roundTrip",
  };
}

/** Each end sends and receives the same codec: offer and answer agree on one. */
function lastCodec(
  party: Party,
  facts: readonly Fact[],
): { readonly codec: string; readonly ptimeMs: number } | undefined {
  return (
    factsOf(facts, "mediaChanged", party).findLast(({ direction }) => direction === "sendrecv") ??
    factsOf(facts, "mediaStarted", party).at(-1)
  );
}

/**
 * Packets not heard: lost, late or discarded, without those that FEC brought back. The burst ratio
 * is the mean length of a run of them over that of random loss, 1 / (1 − loss) (G.107 §7.5).
 */
function lossOf(
  counted: MediaStatisticsFact,
  ptimeMs: number,
): { readonly lossRatio: number; readonly burstRatio: number } {
  const bad = counted.lost + counted.late + counted.discarded;
  const unheard = Math.max(0, bad - counted.fecRecoveredMs / ptimeMs);
  const lossRatio = Math.min(1, unheard / counted.packetsExpected);
  const runs = counted.lossRuns ?? 0;
  const meanRun = runs > 0 ? bad / runs : 1;
  return { lossRatio, burstRatio: Math.max(1, meanRun * (1 - lossRatio)) };
}

function rounded({
  r,
  mos,
  scale,
  best,
  basis,
  source,
  delayMs,
}: RatingEstimate): Omit<
  RatingMetrics,
  "party" | "codec" | "lossRatio" | "burstRatio" | "delayFrom"
> {
  return {
    r: hundredths(r),
    mos: hundredths(mos),
    bestMos: hundredths(best.mos),
    scale,
    basis,
    source,
    delayMs: roundMs(delayMs),
  };
}

function signalOf(speaker: Party, samples: Int16Array, recording: RecordedAudio): SignalMetrics {
  return signalMetrics(speaker, analyseSignal(samples, recording.sampleRateHz), recording);
}

/** What was found in a speaker's signal, on the clock of its recording. */
export function signalMetrics(
  speaker: Party,
  found: SignalQuality,
  { sampleRateHz, startedAt }: Pick<RecordedAudio, "sampleRateHz" | "startedAt">,
): SignalMetrics {
  const ms = (count: number): number => roundMs((count * 1000) / sampleRateHz);
  const at = (sample: number): Instant =>
    instant(roundMs(startedAt + (sample * 1000) / sampleRateHz));
  const places = (spans: SignalQuality["gaps"]["places"]): SignalMetrics["gaps"]["places"] =>
    spans.slice(0, PLACES_MAX).map(({ startSample, endSample }) => ({
      startAt: at(startSample),
      endAt: at(endSample),
    }));
  const { clipping, gaps, clicks, bandwidth } = found;
  return {
    speaker,
    sampleRateHz,
    ...(found.speechDbov > SILENCE_DBOV ? { speechDbov: hundredths(found.speechDbov) } : {}),
    activityFactor: thousandths(found.activityFactor),
    noiseFloorDbov: hundredths(found.noiseFloorDbov),
    ...optional("snrDb", found.snrDb === undefined ? undefined : hundredths(found.snrDb)),
    peakDbov: hundredths(found.peakDbov),
    dcOffset: thousandths(found.dcOffset),
    clipping: { count: clipping.count, ms: ms(clipping.samples), places: places(clipping.places) },
    gaps: { count: gaps.count, ms: ms(gaps.samples), places: places(gaps.places) },
    silentMs: ms(gaps.silentSamples),
    clicks: { count: clicks.count, places: places(clicks.places) },
    ...optional("bandwidth", bandwidth),
  };
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}

function thousandths(value: number): number {
  return Math.round(value * 1000) / 1000;
}
