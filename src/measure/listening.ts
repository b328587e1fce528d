import { resample } from "../audio/index.ts";
import { instant } from "../environment/index.ts";
import { VISQOL_SAMPLE_RATE_HZ, type VisqolResult, visqol } from "../quality/index.ts";
import type { CallMetrics } from "./call-metrics.ts";
import type { ListeningMetrics, ListeningStretch } from "./call-quality.ts";
import type { CallRecord, RecordedAudio } from "./call-record.ts";
import { speechIn } from "./recording.ts";
import { roundMs, type TimeSpan } from "./time-spans.ts";

/** Speech with shorter pauses is compared as one. */
const JOIN_GAP_MS = 1000;
/** Silence around the speech, so that its edges are heard; and how much later it may be heard. */
const BESIDE_MS = 200;
const LATER_MS = 600;
/** Shorter than this has hardly a patch to compare. */
const STRETCH_MS_MIN = 800;
/** Longer stretches are compared in pieces: cost grows with the square. */
const STRETCH_MS_MAX = 20_000;
/** So much speech of a call is compared; the figure says how much it was. */
const LISTENING_MS_MAX = 120_000;

/**
 * What ViSQOL says of the way from the bot to the caller: what the bot sent, before its encoder,
 * against what the caller heard, for its speech stretch by stretch. It takes a tenth to a third of the
 * length of the speech on one core: for reports, never for a step.
 *
 * @returns `undefined` unless both ends were recorded and the bot spoke for a second or so.
 */
export function measureListening({ audio, botAudio }: CallRecord): ListeningMetrics | undefined {
  if (audio === undefined || botAudio === undefined) return undefined;
  const spoken = speechIn(botAudio, "right", JOIN_GAP_MS).flatMap(inPieces);
  let comparedMs = 0;
  const stretches: ListeningStretch[] = [];
  for (const span of spoken) {
    const lengthMs = span.endAt - span.startAt;
    if (comparedMs + lengthMs > LISTENING_MS_MAX) break;
    const found = compared(span, audio, botAudio);
    if (found === undefined) continue;
    comparedMs += lengthMs;
    stretches.push({
      startAt: span.startAt,
      endAt: span.endAt,
      mosLqo: rounded(found.mosLqo),
      patches: found.patches,
      unmatchedPatches: found.unmatchedPatches,
    });
  }
  const patches = stretches.reduce((sum, each) => sum + each.patches, 0);
  if (patches === 0) return undefined;
  const sum = stretches.reduce((total, each) => total + each.mosLqo * each.patches, 0);
  return {
    mosLqo: rounded(sum / patches),
    lowestMosLqo: Math.min(...stretches.map(({ mosLqo }) => mosLqo)),
    comparedMs: roundMs(comparedMs),
    stretches,
  };
}

/** A call's figures with ViSQOL's beside them, where it can be had. */
export function withListening(metrics: CallMetrics, record: CallRecord): CallMetrics {
  const listening = metrics.quality && measureListening(record);
  if (metrics.quality === undefined || listening === undefined) return metrics;
  return { ...metrics, quality: { ...metrics.quality, listening } };
}

function inPieces(span: TimeSpan): TimeSpan[] {
  const lengthMs = span.endAt - span.startAt;
  if (lengthMs < STRETCH_MS_MIN) return [];
  const pieces = Math.ceil(lengthMs / STRETCH_MS_MAX);
  return Array.from({ length: pieces }, (_, piece) => ({
    startAt: instant(span.startAt + (piece * lengthMs) / pieces),
    endAt: instant(span.startAt + ((piece + 1) * lengthMs) / pieces),
  }));
}

function compared(
  span: TimeSpan,
  audio: RecordedAudio,
  botAudio: RecordedAudio,
): VisqolResult | undefined {
  const from = span.startAt - BESIDE_MS;
  const to = span.endAt + BESIDE_MS;
  return visqol(cut(botAudio, from, to), cut(audio, from, to + LATER_MS));
}

/** What the right channel holds between two instants, at ViSQOL's rate. */
function cut(
  { right, startedAt, sampleRateHz }: RecordedAudio,
  from: number,
  to: number,
): Int16Array {
  const position = (at: number): number =>
    Math.max(0, Math.round(((at - startedAt) * sampleRateHz) / 1000));
  return resample(
    right.subarray(position(from), position(to)),
    sampleRateHz,
    VISQOL_SAMPLE_RATE_HZ,
  );
}

function rounded(mos: number): number {
  return Math.round(mos * 1000) / 1000;
}
