import { SpeechScanner, type SpeechSegment } from "../audio/index.ts";
import { UsageError } from "../environment/index.ts";

/**
 * Finds speech in one side of a recording, instead of our own detector: a plug-in, for example
 * around Silero VAD (docs/analyze.md).
 */
export interface SpeechDetector {
  /** Takes the next samples, 16 bits, at the rate that it was made for; they are reused afterwards. */
  push(samples: Int16Array): void | Promise<void>;
  /** All speech, in order, in ms from the first sample. */
  finish(): readonly DetectedSpeech[] | Promise<readonly DetectedSpeech[]>;
}

/** A stretch of speech that a plug-in found. */
export interface DetectedSpeech {
  readonly startMs: number;
  readonly endMs: number;
  /** Each edge lies within ± this in 95 % of cases. */
  readonly uncertaintyMs: number;
}

/** What a detector is made for. */
export interface DetectorSettings {
  readonly sampleRateHz: 8000 | 16_000;
  /** Pauses shorter than this are part of the speech. */
  readonly joinGapMs: number;
}

/** A plug-in, by the name that errors and results give it. */
export interface DetectorPlugIn {
  readonly name: string;
  readonly createDetector: (settings: DetectorSettings) => SpeechDetector;
}

/** What one side is given to. */
export interface SegmentFinder {
  push(samples: Int16Array): void | Promise<void>;
  finish(): readonly SpeechSegment[] | Promise<readonly SpeechSegment[]>;
}

/** Our own detector, or the plug-in where there is one. */
export function segmentFinder(
  settings: DetectorSettings,
  plugIn: DetectorPlugIn | undefined,
): SegmentFinder {
  const { sampleRateHz, joinGapMs } = settings;
  if (plugIn === undefined) return new SpeechScanner(sampleRateHz, { joinGapMs });
  const detector = plugIn.createDetector(settings);
  let taken = 0;
  return {
    push: (samples) => {
      taken += samples.length;
      return detector.push(samples);
    },
    finish: async () => {
      const found = await detector.finish();
      checkSpeech(found, (taken * 1000) / sampleRateHz, plugIn.name);
      return found.map((speech) => segmentOf(speech, sampleRateHz));
    },
  };
}

function segmentOf(
  { startMs, endMs, uncertaintyMs }: DetectedSpeech,
  sampleRateHz: number,
): SpeechSegment {
  const samples = (ms: number): number => Math.round((ms * sampleRateHz) / 1000);
  return {
    startSample: samples(startMs),
    endSample: samples(endMs),
    onsetUncertaintySamples: samples(uncertaintyMs),
    offsetUncertaintySamples: samples(uncertaintyMs),
  };
}

/** @throws UsageError ERR_DETECTOR: speech that cannot be, with its place in the list. */
function checkSpeech(found: unknown, lengthMs: number, name: string): void {
  if (!Array.isArray(found)) throw malformed(name, "finish() gave no list");
  let lastEndMs = 0;
  for (const [index, speech] of (found as readonly DetectedSpeech[]).entries()) {
    const { startMs, endMs, uncertaintyMs } = speech;
    const isOrdered = startMs >= lastEndMs && endMs > startMs && endMs <= lengthMs + END_SLACK_MS;
    // Not a number is neither.
    if (!isOrdered || !(uncertaintyMs >= 0)) {
      throw malformed(
        name,
        `speech ${index + 1} of ${found.length}, ${startMs} to ${endMs} ms ± ${uncertaintyMs}, does not lie behind the one before it and within the ${Math.round(lengthMs)} ms of the recording`,
      );
    }
    lastEndMs = endMs;
  }
}

/** A detector whose frames do not divide the recording may fill up the last one. */
const END_SLACK_MS = 100;

function malformed(name: string, what: string): UsageError {
  return new UsageError(
    "ERR_DETECTOR",
    `The detector ${name} cannot be used: ${what}. See docs/analyze.md.`,
    { context: { name } },
  );
}
