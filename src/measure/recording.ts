import { SpeechScanner } from "../audio/index.ts";
import { type Instant, instant } from "../environment/index.ts";
import type { RecordedAudio } from "./call-record.ts";
import { roundMs, type TimeSpan } from "./time-spans.ts";

/** Speech found in a channel of a recording. */
export interface SpeechSpan extends TimeSpan {
  /** By how much the detector thinks that an edge may be off. */
  readonly uncertaintyMs: number;
}

/** The instant of a sample of the recording. */
function instantOfSample(audio: RecordedAudio, sample: number): Instant {
  return instant(roundMs(audio.startedAt + (sample * 1000) / audio.sampleRateHz));
}

/** Milliseconds of the recording, by its longer channel. */
export function recordingMs(audio: RecordedAudio): number {
  return roundMs((Math.max(audio.left.length, audio.right.length) * 1000) / audio.sampleRateHz);
}

/** Speech in one channel, pauses below `joinGapMs` bridged. */
export function speechIn(
  audio: RecordedAudio,
  channel: "left" | "right",
  joinGapMs: number,
): SpeechSpan[] {
  const scanner = new SpeechScanner(audio.sampleRateHz, { joinGapMs });
  scanner.push(audio[channel]);
  return scanner.finish().map((segment) => ({
    startAt: instantOfSample(audio, segment.startSample),
    endAt: instantOfSample(audio, segment.endSample),
    uncertaintyMs: roundMs(
      (Math.max(segment.onsetUncertaintySamples, segment.offsetUncertaintySamples) * 1000) /
        audio.sampleRateHz,
    ),
  }));
}
