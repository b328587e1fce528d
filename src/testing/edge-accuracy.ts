import { detectSpeech, findEcho, locateSpeech, type PlacedAudio } from "../audio/index.ts";
import { instant, type Random, seededRandom } from "../environment/index.ts";
import { SEGMENT_GAP_MS, withoutEcho } from "../measure/index.ts";
import {
  type Clip,
  type Dialogue,
  type DialogueCondition,
  makeDialogue,
  type SpokenSpan,
} from "./dialogue.ts";

/** How edges are found: in the audio alone, or by where the clean sentence is in it. */
export type EdgeMethod = "detected" | "located";

/** How far the edges that were found were from the truth, over some dialogues. */
export interface EdgeAccuracy {
  readonly spans: number;
  /** Sentences of which nothing was found, or which ran together with another. */
  readonly missed: number;
  /** Stretches that were found where nobody spoke. */
  readonly invented: number;
  /** Found − true, in ms. */
  readonly onsetErrorsMs: readonly number[];
  readonly offsetErrorsMs: readonly number[];
  /** The same beyond what lies below the noise or within 2 dB of the definition (`TrueEdge`). */
  readonly heardOnsetErrorsMs: readonly number[];
  readonly heardOffsetErrorsMs: readonly number[];
  /** Edges whose stated uncertainty covers their error, as a share. */
  readonly coveredRatio: number;
}

/** How much is measured, of what, and how. */
export interface EdgeMeasurement {
  readonly dialogues: number;
  readonly turns: number;
  readonly seed: string;
  /** Default: `detected`. */
  readonly method?: EdgeMethod;
}

/** Beyond this an edge was not measured badly but not found. */
const MISSED_MS = 400;

/** A known sentence is looked for so far around where it is. */
const LOCATE_BEFORE_MS = 700;
const LOCATE_BEHIND_MS = 1300;

/** Measures a method on dialogues of known truth; the seed decides about all of them. */
export function measureEdges(
  clips: readonly Clip[],
  condition: DialogueCondition,
  options: EdgeMeasurement,
): EdgeAccuracy {
  const edgesIn = options.method === "located" ? locatedEdges : detectedEdges;
  const random: Random = seededRandom(options.seed);
  const found = Array.from({ length: options.dialogues }, () => {
    const dialogue = makeDialogue(clips, condition, { turns: options.turns, random });
    return [edgesIn(dialogue, "caller"), edgesIn(dialogue, "bot")];
  }).flat();
  const edges = found.flatMap((each) => each.edges);
  const measured = edges.filter((edge) => edge !== undefined);
  const all = measured.flatMap(({ onset, offset }) => [onset, offset]);
  return {
    spans: edges.length,
    missed: edges.length - measured.length,
    invented: found.reduce((sum, { invented }) => sum + invented, 0),
    onsetErrorsMs: measured.map(({ onset }) => onset.errorMs),
    offsetErrorsMs: measured.map(({ offset }) => offset.errorMs),
    heardOnsetErrorsMs: measured.map(({ onset }) => onset.heardErrorMs),
    heardOffsetErrorsMs: measured.map(({ offset }) => offset.heardErrorMs),
    coveredRatio:
      all.filter(({ errorMs, uncertaintyMs }) => Math.abs(errorMs) <= uncertaintyMs).length /
      Math.max(1, all.length),
  };
}

interface EdgeError {
  readonly errorMs: number;
  readonly heardErrorMs: number;
  readonly uncertaintyMs: number;
}

interface FoundEdges {
  readonly edges: readonly (
    | { readonly onset: EdgeError; readonly offset: EdgeError }
    | undefined
  )[];
  readonly invented: number;
}

function detectedEdges(dialogue: Dialogue, party: "caller" | "bot"): FoundEdges {
  const spans = detectedSpans(dialogue, party);
  const truths = dialogue.spans.filter((span) => span.party === party);
  const edges = truths.map((truth) => {
    const own = spans.filter((span) => overlaps(span, truth));
    const [first, last] = [own[0], own.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const onset = onsetError(truth, first.startMs, first.onsetUncertaintyMs);
    const offset = offsetError(truth, last.endMs, last.offsetUncertaintyMs);
    const isFound = Math.max(Math.abs(onset.errorMs), Math.abs(offset.errorMs)) <= MISSED_MS;
    return isFound ? { onset, offset } : undefined;
  });
  const invented = spans.filter((span) => !truths.some((truth) => overlaps(span, truth)));
  return { edges, invented: invented.length };
}

function overlaps(span: DetectedSpan, truth: SpokenSpan): boolean {
  return span.startMs < truth.offsetMs && truth.onsetMs < span.endMs;
}

interface DetectedSpan {
  readonly startMs: number;
  readonly endMs: number;
  readonly onsetUncertaintyMs: number;
  readonly offsetUncertaintyMs: number;
}

/** As `measureCall` finds it: where the line returns an echo, without that. */
function detectedSpans(dialogue: Dialogue, party: "caller" | "bot"): DetectedSpan[] {
  const { sampleRateHz, left, right, hasEcho } = dialogue;
  const placed = (samples: Int16Array): PlacedAudio => ({ samples, sampleRateHz, startMs: 0 });
  const [heard, sent] =
    party === "caller" ? [placed(left), placed(right)] : [placed(right), placed(left)];
  const ms = (samples: number): number => (samples * 1000) / sampleRateHz;
  const segments = detectSpeech(heard.samples, sampleRateHz);
  if (!hasEcho) {
    return segments.map((segment) => ({
      startMs: ms(segment.startSample),
      endMs: ms(segment.endSample),
      onsetUncertaintyMs: ms(segment.onsetUncertaintySamples),
      offsetUncertaintyMs: ms(segment.offsetUncertaintySamples),
    }));
  }
  const spans = segments.map((segment) => ({
    startAt: instant(ms(segment.startSample)),
    endAt: instant(ms(segment.endSample)),
    uncertaintyMs: ms(Math.max(segment.onsetUncertaintySamples, segment.offsetUncertaintySamples)),
  }));
  const echo = findEcho(sent, heard);
  return withoutEcho(spans, { sent, heard }, echo, SEGMENT_GAP_MS).map((span) => ({
    startMs: span.startAt,
    endMs: span.endAt,
    onsetUncertaintyMs: span.uncertaintyMs,
    offsetUncertaintyMs: span.uncertaintyMs,
  }));
}

function locatedEdges(dialogue: Dialogue, party: "caller" | "bot"): FoundEdges {
  const { sampleRateHz, left, right } = dialogue;
  const recording = { samples: party === "caller" ? left : right, sampleRateHz, startMs: 0 };
  const truths = dialogue.spans.filter((span) => span.party === party);
  const edges = truths.map((truth) => {
    const { known, onsetMs } = truth;
    const found = locateSpeech(known, recording, {
      fromMs: onsetMs - LOCATE_BEFORE_MS,
      toMs: onsetMs + LOCATE_BEHIND_MS,
    });
    if (found === undefined) return undefined;
    return {
      onset: onsetError(truth, found.onset.atMs, found.onset.uncertaintyMs),
      offset: offsetError(truth, found.offset.atMs, found.offset.uncertaintyMs),
    };
  });
  return { edges, invented: 0 };
}

function onsetError(truth: SpokenSpan, atMs: number, uncertaintyMs: number): EdgeError {
  const heardErrorMs = outside(atMs, truth.onsetWithinMs);
  return { errorMs: atMs - truth.onsetMs, heardErrorMs, uncertaintyMs };
}

function offsetError(truth: SpokenSpan, atMs: number, uncertaintyMs: number): EdgeError {
  const heardErrorMs = outside(atMs, truth.offsetWithinMs);
  return { errorMs: atMs - truth.offsetMs, heardErrorMs, uncertaintyMs };
}

/** How far `value` lies below (negative) or above a range. */
function outside(value: number, [low, high]: readonly [number, number]): number {
  if (value < low) return value - low;
  return Math.max(0, value - high);
}
