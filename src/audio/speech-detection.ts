import { COARSE_FRAME_MS, coarseSpeech, type FrameRun, frameLevels } from "./coarse-speech.ts";
import { refineEdge } from "./edge-refinement.ts";
import { highPassed } from "./high-pass.ts";
import { type Loudness, loudestVariance } from "./short-energy.ts";

/** A stretch of speech, in samples from the start of the recording. */
export interface SpeechSegment {
  readonly startSample: number;
  /** Exclusive. */
  readonly endSample: number;
  /** How far off each edge might be, from how sharply it stands out of the background. */
  readonly onsetUncertaintySamples: number;
  readonly offsetUncertaintySamples: number;
}

/** What counts as one stretch of speech. */
export interface DetectSpeechOptions {
  /** Pauses shorter than this are part of the speech; default 300. */
  readonly joinGapMs?: number;
  /** Speech shorter than this is not reported; default 60. */
  readonly minSpeechMs?: number;
}

const HIGH_PASS_HZ = 150;
/** How far outside and inside of a coarse edge the true one may be. */
const SEARCH_OUT_MS = 240;
/** Nearer to a coarse edge than this nothing counts as background. */
const BACKGROUND_OFF_MS = 150;
const SEARCH_IN_MS = 60;
/** Coarse gaps up to this are joined at once: too short to have a background of their own. */
const COARSE_JOIN_MS_MAX = 150;
/** How much background to learn from, and with how little to be content. */
const BACKGROUND_MS = 500;
const BACKGROUND_MS_MIN = 20;
/** Sound this far below speech that is near is not speech of its own but the dying away. */
const FAINT_DB = 40;
/**
 * Where an edge is placed in silence: this far below the loudest 5 ms of the segment.
 * That is the definition by which fixtures are annotated.
 */
const EDGE_RATIO: number = 10 ** 3.5;

/** A stretch of samples: from `from` up to `to`. */
interface Span {
  readonly from: number;
  readonly to: number;
}

/** One coarse segment, and how far the silence on either side of it reaches. */
interface Surroundings {
  readonly samples: Float64Array;
  readonly sampleRateHz: number;
  readonly speech: Span;
  readonly silenceFrom: number;
  readonly silenceTo: number;
  readonly loudest: Loudness;
}

/**
 * Finds the speech in a recording, with edges good to a few milliseconds; for measurements.
 *
 * A coarse detector on 10 ms levels against an adaptive background finds the segments, and each
 * edge is then placed by likelihood on 1 ms energies, looking both ways. In silence an edge is
 * where the sound rises to some 35 dB below its peak; weak sounds below the background cannot be
 * found by any means, so that in noise onsets tend to be late.
 */
export function detectSpeech(
  samples: Int16Array,
  sampleRateHz: number,
  options: DetectSpeechOptions = {},
): SpeechSegment[] {
  const { joinGapMs = 300, minSpeechMs = 60 } = options;
  const frameSamples = Math.round((sampleRateHz * COARSE_FRAME_MS) / 1000);
  const levels = frameLevels(highPassed(samples, HIGH_PASS_HZ, sampleRateHz), frameSamples);
  const sound = Float64Array.from(samples);
  const coarseGapFrames = Math.min(joinGapMs, COARSE_JOIN_MS_MAX) / COARSE_FRAME_MS;
  const soundLevels = frameLevels(sound, frameSamples);
  const audible = withoutFaint(coarseSpeech(levels), soundLevels, joinGapMs / COARSE_FRAME_MS);
  const runs = joinRuns(audible, coarseGapFrames);
  const segments = runs.map((run, index) => {
    const speech = { from: run.start * frameSamples, to: run.end * frameSamples };
    return refine({
      samples: sound,
      sampleRateHz,
      speech,
      silenceFrom: (runs[index - 1]?.end ?? 0) * frameSamples,
      silenceTo: Math.min((runs[index + 1]?.start ?? Infinity) * frameSamples, sound.length),
      loudest: loudestVariance(sound.subarray(speech.from, speech.to), sampleRateHz),
    });
  });
  const leastSamples = (minSpeechMs * sampleRateHz) / 1000;
  return joinSegments(segments, (joinGapMs * sampleRateHz) / 1000).filter(
    (segment) => segment.endSample - segment.startSample >= leastSamples,
  );
}

function joinRuns(runs: readonly FrameRun[], gapFrames: number): FrameRun[] {
  const joined: FrameRun[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    if (last !== undefined && run.start - last.end < gapFrames) {
      joined[joined.length - 1] = { start: last.start, end: run.end };
    } else joined.push(run);
  }
  return joined;
}

/** Drops runs that are far below the peak of another that is near enough to be joined with them. */
function withoutFaint(
  runs: readonly FrameRun[],
  levels: Float64Array,
  gapFrames: number,
): FrameRun[] {
  return runs.filter((run) => {
    const limit = peakLevel(run, levels) + FAINT_DB;
    const near = runs.filter(
      (other) => other.start - run.end < gapFrames && run.start - other.end < gapFrames,
    );
    return near.every((other) => peakLevel(other, levels) <= limit);
  });
}

function peakLevel(run: FrameRun, levels: Float64Array): number {
  return levels.subarray(run.start, run.end).reduce((a, b) => Math.max(a, b));
}

function refine(around: Surroundings): SpeechSegment {
  const { samples, sampleRateHz, speech, loudest } = around;
  const onsetRange = onsetSearch(around);
  const offsetRange = offsetSearch(around);
  const common = {
    samples,
    sampleRateHz,
    edgeVariance: loudest.variance / EDGE_RATIO,
    doubtRatio: loudest.doubtRatio,
  };
  const off = Math.round((BACKGROUND_OFF_MS * sampleRateHz) / 1000);
  const pauseTo = Math.max(onsetRange.from, speech.from - off);
  const pauseFrom = Math.min(offsetRange.to, speech.to + off);
  const before = background(around, { from: around.silenceFrom, to: pauseTo }, "end");
  const behind = background(around, { from: pauseFrom, to: around.silenceTo }, "start");
  const leastBackground = (BACKGROUND_MS_MIN * sampleRateHz) / 1000;
  const onset = refineEdge({
    ...common,
    ...onsetRange,
    innermost: speech.to,
    kind: "onset",
    background: before.length >= leastBackground ? before : behind,
  });
  const offset = refineEdge({
    ...common,
    ...offsetRange,
    innermost: speech.from,
    kind: "offset",
    background: behind.length >= leastBackground ? behind : before,
  });
  return {
    startSample: onset.sample,
    endSample: Math.max(offset.sample, Math.min(speech.to, onset.sample + 1)),
    onsetUncertaintySamples: onset.uncertaintySamples,
    offsetUncertaintySamples: offset.uncertaintySamples,
  };
}

/** Where the onset may be: never past the middle of the speech, or of the pause before it. */
function onsetSearch({ sampleRateHz, speech, silenceFrom }: Surroundings): Span {
  const pause = speech.from - silenceFrom;
  const share = silenceFrom === 0 ? 1 : 0.5;
  const out = Math.min((SEARCH_OUT_MS * sampleRateHz) / 1000, pause * share);
  const inside = Math.min((SEARCH_IN_MS * sampleRateHz) / 1000, (speech.to - speech.from) / 2);
  return { from: Math.floor(speech.from - out), to: Math.floor(speech.from + inside) };
}

/** Where the offset may be: the same, mirrored. */
function offsetSearch({ samples, sampleRateHz, speech, silenceTo }: Surroundings): Span {
  const pause = silenceTo - speech.to;
  const share = silenceTo === samples.length ? 1 : 0.5;
  const out = Math.min((SEARCH_OUT_MS * sampleRateHz) / 1000, pause * share);
  const inside = Math.min((SEARCH_IN_MS * sampleRateHz) / 1000, (speech.to - speech.from) / 2);
  return { from: Math.ceil(speech.to - inside), to: Math.ceil(speech.to + out) };
}

/** Up to half a second of the pause, at the end of it that is nearer to the speech. */
function background(around: Surroundings, pause: Span, near: "start" | "end"): Float64Array {
  const most = (BACKGROUND_MS * around.sampleRateHz) / 1000;
  const { from, to } = pause;
  if (near === "start") return around.samples.subarray(from, Math.min(to, from + most));
  return around.samples.subarray(Math.max(from, to - most), Math.max(from, to));
}

/** Joins segments whose pause is shorter than `gapSamples`. */
function joinSegments(segments: readonly SpeechSegment[], gapSamples: number): SpeechSegment[] {
  const joined: SpeechSegment[] = [];
  for (const segment of segments) {
    const last = joined.at(-1);
    if (last !== undefined && segment.startSample - last.endSample < gapSamples) {
      joined[joined.length - 1] = {
        ...last,
        endSample: segment.endSample,
        offsetUncertaintySamples: segment.offsetUncertaintySamples,
      };
    } else joined.push(segment);
  }
  return joined;
}
