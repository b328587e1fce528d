import {
  decodeWav,
  levelDbov,
  type Occurrence,
  PhraseRecogniser,
  resample,
  type Voice,
} from "../../../src/audio/index.ts";

/** What G.711 carries. */
const SAMPLE_RATE_HZ = 8000;

/** A recording at the telephone's rate. */
export interface TelephoneAudio {
  readonly sampleRateHz: number;
  readonly samples: Int16Array;
}

/** A fixture as it goes onto the telephone line, after so much silence. */
export function onTelephone(voice: Voice, silenceBeforeMs = 0): Int16Array {
  const speech = resample(voice.samples, voice.sampleRateHz, SAMPLE_RATE_HZ);
  const before = (silenceBeforeMs * SAMPLE_RATE_HZ) / 1000;
  const samples = new Int16Array(before + speech.length);
  samples.set(speech, before);
  return samples;
}

/** The one channel of a WAV file; no samples where there is no file. */
export function monoWav(file: Uint8Array | undefined): TelephoneAudio {
  if (file === undefined) return { sampleRateHz: SAMPLE_RATE_HZ, samples: new Int16Array() };
  const { sampleRateHz, channels } = decodeWav(file);
  return { sampleRateHz, samples: channels[0] ?? new Int16Array() };
}

/** Where a known phrase was heard, how well it fits, and how loud it was. */
export interface HeardPhrase extends Occurrence {
  readonly levelDbov: number;
}

/** Looks for one phrase of a voice in a recording. */
export function findPhrase(
  voices: readonly Voice[],
  id: string,
  { samples, sampleRateHz }: TelephoneAudio,
): HeardPhrase {
  const found = new PhraseRecogniser(voices).contains(id, samples, sampleRateHz);
  const spoken = samples.subarray(found.startSample, found.endSample);
  return { ...found, levelDbov: levelDbov(spoken) };
}
