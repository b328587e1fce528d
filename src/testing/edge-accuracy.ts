import { detectSpeech, type SpeechSegment } from "../audio/index.ts";
import { type Random, seededRandom } from "../environment/index.ts";
import { type Clip, type Dialogue, type DialogueCondition, makeDialogue } from "./dialogue.ts";

/** How far a detector's edges were from the truth, over some dialogues. */
export interface EdgeAccuracy {
  readonly spans: number;
  /** Sentences of which nothing was found, or which ran together with another. */
  readonly missed: number;
  /** Stretches that were found where nobody spoke. */
  readonly invented: number;
  /** Found − true, in ms. */
  readonly onsetErrorsMs: readonly number[];
  readonly offsetErrorsMs: readonly number[];
  /** Edges whose stated uncertainty covers their error, as a share. */
  readonly coveredRatio: number;
}

/** Beyond this an edge was not measured badly but not found. */
const MISSED_MS = 400;

/** Measures the detector on dialogues of known truth; the seed decides about all of them. */
export function measureEdges(
  clips: readonly Clip[],
  condition: DialogueCondition,
  options: { readonly dialogues: number; readonly turns: number; readonly seed: string },
): EdgeAccuracy {
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
    coveredRatio:
      all.filter(({ errorMs, uncertaintyMs }) => Math.abs(errorMs) <= uncertaintyMs).length /
      Math.max(1, all.length),
  };
}

interface EdgeError {
  readonly errorMs: number;
  readonly uncertaintyMs: number;
}

interface FoundEdges {
  readonly edges: readonly (
    | { readonly onset: EdgeError; readonly offset: EdgeError }
    | undefined
  )[];
  readonly invented: number;
}

function edgesIn(dialogue: Dialogue, party: "caller" | "bot"): FoundEdges {
  const { sampleRateHz, left, right } = dialogue;
  const ms = (samples: number): number => (samples * 1000) / sampleRateHz;
  const segments = detectSpeech(party === "caller" ? left : right, sampleRateHz);
  const truths = dialogue.spans.filter((span) => span.party === party);
  const overlaps = (segment: SpeechSegment, truth: (typeof truths)[number]): boolean =>
    ms(segment.startSample) < truth.offsetMs && truth.onsetMs < ms(segment.endSample);
  const edges = truths.map((truth) => {
    const own = segments.filter((segment) => overlaps(segment, truth));
    const [first, last] = [own[0], own.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const onset = {
      errorMs: ms(first.startSample) - truth.onsetMs,
      uncertaintyMs: ms(first.onsetUncertaintySamples),
    };
    const offset = {
      errorMs: ms(last.endSample) - truth.offsetMs,
      uncertaintyMs: ms(last.offsetUncertaintySamples),
    };
    const isFound = Math.max(Math.abs(onset.errorMs), Math.abs(offset.errorMs)) <= MISSED_MS;
    return isFound ? { onset, offset } : undefined;
  });
  const invented = segments.filter((segment) => !truths.some((truth) => overlaps(segment, truth)));
  return { edges, invented: invented.length };
}
