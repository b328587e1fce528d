import { readFileSync } from "node:fs";
import { decodeWav, type KnownSpeech, resample } from "../../../src/audio/index.ts";

const FOLDER = new URL("../../../fixtures/voices/", import.meta.url);

interface CatalogueEntry {
  readonly file: string;
  readonly onsetMs: number;
  readonly offsetMs: number;
}

/** Every recorded utterance of one side, as annotated. */
export function voicesOf(side: "bot" | "caller"): (KnownSpeech & { readonly file: string })[] {
  const text = readFileSync(new URL(`${side}/voices.json`, FOLDER), "utf8");
  return (JSON.parse(text) as readonly CatalogueEntry[]).map(({ file, onsetMs, offsetMs }) => {
    const wav = decodeWav(readFileSync(new URL(`${side}/${file}`, FOLDER)));
    const samples = wav.channels[0] ?? new Int16Array(0);
    return { file, samples, sampleRateHz: wav.sampleRateHz, onsetMs, offsetMs };
  });
}

/** The recorded voices of one side, one after the other with pauses, until it is long enough. */
export function speechOf(
  side: "bot" | "caller",
  seconds: number,
  sampleRateHz: number,
): Int16Array {
  const voices = voicesOf(side);
  const samples = new Int16Array(seconds * sampleRateHz);
  const pause = Math.round(0.7 * sampleRateHz);
  for (let at = pause, index = 0; at < samples.length; index += 1) {
    const voice = voices[index % voices.length];
    if (voice === undefined) throw new Error("there are voices");
    const part = resample(voice.samples, voice.sampleRateHz, sampleRateHz);
    samples.set(part.subarray(0, samples.length - at), at);
    at += part.length + pause;
  }
  return samples;
}
