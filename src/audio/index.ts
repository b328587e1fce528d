/** PCM audio: WAV files, sample rates, level, speech detection and recognition of known phrases. */
export type { LocalDelay } from "./correlation/delay-finder.ts";
export { type DelayTrack, trackDelay } from "./correlation/delay-track.ts";
export { type FoundEcho, findEcho } from "./correlation/echo-finder.ts";
export { echoFree } from "./correlation/echo-free.ts";
export {
  type KnownSpeech,
  type LocatedEdge,
  type LocatedSpeech,
  locateSpeech,
} from "./correlation/locate-speech.ts";
export type { PlacedAudio } from "./correlation/narrow-reader.ts";
export { DtmfToneDetector } from "./dtmf-tone-detector.ts";
export { type DtmfTone, DtmfToneGenerator } from "./dtmf-tone-generator.ts";
export { levelDbov, meanSquareOf, powerDbov, SILENCE_DBOV } from "./level.ts";
export {
  LiveSpeechDetector,
  type LiveSpeechDetectorOptions,
  type SpeechChange,
} from "./live-speech-detector.ts";
export {
  type KnownPhrase,
  type Occurrence,
  PhraseRecogniser,
  type PhraseRecogniserOptions,
  type Recognition,
} from "./phrase-recogniser.ts";
export { Resampler, type ResamplerOptions, resample } from "./resampler.ts";
export { ABRUPT_EDGE_MS } from "./short-energy.ts";
export { type DetectSpeechOptions, detectSpeech, type SpeechSegment } from "./speech-detection.ts";
export { type ScannerOptions, SpeechScanner } from "./speech-scanner.ts";
export { TimeScaler, type TimeScalerOptions } from "./time-scaler.ts";
export { type ToneOptions, tone } from "./tone.ts";
export {
  loadVoices,
  spokenForm,
  type Voice,
  VoiceLibrary,
  type VoiceName,
} from "./voices.ts";
export { decodeWav, encodeWav, type WavAudio } from "./wav.ts";
