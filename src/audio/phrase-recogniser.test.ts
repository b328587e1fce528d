import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Codec, PCMA, PCMU } from "../codec/index.ts";
import { type Random, seededRandom } from "../environment/index.ts";
import { levelDbov } from "./level.ts";
import { type KnownPhrase, PhraseRecogniser } from "./phrase-recogniser.ts";
import { resample } from "./resampler.ts";
import { decodeWav } from "./wav.ts";

const VOICES = new URL("../../fixtures/voices/", import.meta.url);

function phrasesOf(voice: "caller" | "bot"): KnownPhrase[] {
  const folder = new URL(`${voice}/`, VOICES);
  // The long speech would take most of the time and shows nothing that the others do not.
  const files = readdirSync(folder).filter((name) => /^(?!long).*\.wav$/.test(name));
  return files.map((name) => {
    const wav = decodeWav(readFileSync(new URL(name, folder)));
    const samples = wav.channels[0] as Int16Array;
    return { id: name.replace(".wav", ""), samples, sampleRateHz: wav.sampleRateHz };
  });
}

const PHRASES = { caller: phrasesOf("caller"), bot: phrasesOf("bot") };
const RECOGNISERS = {
  caller: new PhraseRecogniser(PHRASES.caller),
  bot: new PhraseRecogniser(PHRASES.bot),
};
const BOTH = ["caller", "bot"] as const;

function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function withNoise(samples: Int16Array, noiseDbov: number, seed: string): Int16Array {
  const random = seededRandom(seed);
  const rms = 32_768 * 10 ** (noiseDbov / 20);
  return samples.map((sample) => clipped(sample + rms * gaussian(random)));
}

function amplified(samples: Int16Array, gainDb: number): Int16Array {
  const gain = 10 ** (gainDb / 20);
  return samples.map((sample) => clipped(sample * gain));
}

function clipped(value: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(value)));
}

function through(codec: Codec, samples: Int16Array): Int16Array {
  const payload = new Uint8Array(samples.length);
  codec.createEncoder({ ptimeMs: 20 }).encode(samples, payload);
  const output = new Int16Array(samples.length);
  codec.createDecoder().decode(payload, output);
  return output;
}

function padded(samples: Int16Array, before: number, after: number): Int16Array {
  const output = new Int16Array(before + samples.length + after);
  output.set(samples, before);
  return output;
}

/**
 * Plays 8 kHz speech faster (`tempo` > 1) or slower at the same pitch: waveform-similarity
 * overlap-add (Verhelst and Roelands, 1993) with 40 ms windows.
 */
function stretched(samples: Int16Array, tempo: number): Int16Array {
  const [window, hop, reach] = [320, 160, 60];
  const output = new Float64Array(Math.ceil(samples.length / tempo) + window);
  let previous = 0;
  for (let to = 0; to + window < output.length; to += hop) {
    const wanted = Math.round(to * tempo);
    let best = wanted;
    let bestMatch = -Infinity;
    const [earliest, latest] = to === 0 ? [0, 0] : [Math.max(0, wanted - reach), wanted + reach];
    for (let from = earliest; from <= latest; from += 2) {
      let match = 0;
      for (let index = 0; index < hop; index += 2) {
        match += (samples[previous + hop + index] ?? 0) * (samples[from + index] ?? 0);
      }
      if (match > bestMatch) [best, bestMatch] = [from, match];
    }
    for (let index = 0; index < window; index += 1) {
      const weight = 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / window);
      output[to + index] = (output[to + index] as number) + weight * (samples[best + index] ?? 0);
    }
    previous = best;
  }
  return Int16Array.from(output, clipped);
}

/** What a phrase sounds like at the other end of a call, at 8 kHz. */
type Change = (samples: Int16Array, id: string) => Int16Array;

const CONDITIONS: readonly (readonly [string, Change])[] = [
  ["at another rate, among silence", (samples) => padded(samples, 4000, 8000)],
  ["through µ-law", (samples) => through(PCMU, padded(samples, 1234, 777))],
  ["through A-law", (samples) => through(PCMA, samples)],
  ["at -40 dBov, through µ-law", (samples) => through(PCMU, amplified(samples, -20))],
  ["at -12 dBov, clipped a little", (samples) => through(PCMU, amplified(samples, 8))],
  [
    "in noise 20 dB below, through µ-law",
    (samples, id) => through(PCMU, withNoise(padded(samples, 4000, 4000), -40, id)),
  ],
  ["in noise 15 dB below", (samples, id) => withNoise(padded(samples, 4000, 4000), -35, id)],
  ["10 % faster, through µ-law", (samples) => through(PCMU, stretched(samples, 1.1))],
  ["10 % slower, through µ-law", (samples) => through(PCMU, stretched(samples, 0.9))],
];

describe("PhraseRecogniser", () => {
  // Over these conditions the right phrase scores at least 0.75, and a wrong one, in the tests
  // below, at most 0.57: the default threshold of 0.7 leaves room for noise and none for luck.
  it.each(CONDITIONS)("recognises every phrase %s", (_, change) => {
    for (const voice of BOTH) {
      for (const { id, samples, sampleRateHz } of PHRASES[voice]) {
        const heard = change(resample(samples, sampleRateHz, 8000), id);
        const recognition = RECOGNISERS[voice].recognise(heard, 8000);
        expect(recognition).toMatchObject({ id });
        expect(recognition.score - (recognition.runnerUp?.score ?? 0)).toBeGreaterThan(0.2);
      }
    }
  });

  it("recognises telephone audio that was raised to 24 kHz", () => {
    for (const { id, samples, sampleRateHz } of PHRASES.caller) {
      const heard = resample(through(PCMU, resample(samples, sampleRateHz, 8000)), 8000, 24_000);
      expect(RECOGNISERS.caller.recognise(heard, 24_000)).toMatchObject({ id });
    }
  });

  it.each(BOTH)("takes no other phrase of the same voice for a known one (%s)", (voice) => {
    for (const phrase of PHRASES[voice]) {
      const others = new PhraseRecogniser(PHRASES[voice].filter(({ id }) => id !== phrase.id));
      const { id, score } = others.recognise(phrase.samples, phrase.sampleRateHz);
      expect(id).toBeUndefined();
      expect(score).toBeLessThan(0.6);
    }
  });

  it("takes nothing that another voice says for a known phrase", () => {
    for (const [voice, other] of [BOTH, BOTH.toReversed()] as [keyof typeof PHRASES, "bot"][]) {
      for (const { samples, sampleRateHz } of PHRASES[voice]) {
        expect(RECOGNISERS[other].recognise(samples, sampleRateHz).id).toBeUndefined();
      }
    }
  });

  it("takes silence, noise and scraps for nothing", () => {
    const recogniser = RECOGNISERS.caller;
    const phrase = PHRASES.caller.find(({ id }) => id === "what-time-is-breakfast") as KnownPhrase;

    const noise = withNoise(new Int16Array(16_000), -30, "noise");
    const half = phrase.samples.subarray(0, phrase.samples.length / 2);
    for (const samples of [new Int16Array(16_000), new Int16Array(0), noise]) {
      expect(recogniser.recognise(samples, 8000).id).toBeUndefined();
      expect(recogniser.contains("mm-hmm", samples, 8000).found).toBe(false);
    }
    expect(recogniser.recognise(half, phrase.sampleRateHz).id).toBeUndefined();
  });

  it("does not choose between two phrases that sound the same", () => {
    const [phrase] = PHRASES.bot as [KnownPhrase, ...KnownPhrase[]];
    const recogniser = new PhraseRecogniser([phrase, { ...phrase, id: "the same again" }]);

    const recognition = recogniser.recognise(phrase.samples, phrase.sampleRateHz);

    expect(recognition.id).toBeUndefined();
    expect(recognition.score).toBeGreaterThan(0.9);
  });

  it("manages with one phrase, and with none", () => {
    const [phrase] = PHRASES.bot as [KnownPhrase, ...KnownPhrase[]];
    const { samples, sampleRateHz } = phrase;

    const one = new PhraseRecogniser([phrase]).recognise(samples, sampleRateHz);

    expect(one).toEqual({ id: phrase.id, score: expect.any(Number) });
    expect(new PhraseRecogniser([]).recognise(samples, sampleRateHz)).toEqual({
      id: undefined,
      score: 0,
    });
  });

  it("lets the thresholds be set", () => {
    const [phrase] = PHRASES.bot as [KnownPhrase, ...KnownPhrase[]];
    const strict = new PhraseRecogniser(PHRASES.bot, { minScore: 0.999 });
    const heard = through(PCMU, resample(phrase.samples, phrase.sampleRateHz, 8000));

    expect(strict.recognise(heard, 8000).id).toBeUndefined();
  });
});

describe("contains", () => {
  it("finds each of several utterances and where it is, and misses what is not there", () => {
    const GAP = 4000;
    const parts = PHRASES.caller.map(({ samples, sampleRateHz }) =>
      padded(resample(samples, sampleRateHz, 8000), GAP, 0),
    );
    for (const [index, { id }] of PHRASES.caller.entries()) {
      const before = parts.slice(0, index).reduce((sum, part) => sum + part.length, 0) + GAP;
      const here = (parts[index] as Int16Array).length - GAP;
      const call = Int16Array.from(parts.flatMap((part) => Array.from(part)));
      const without = call.slice().fill(0, before, before + here);

      const found = RECOGNISERS.caller.contains(id, through(PCMU, call), 8000);

      expect(found.found).toBe(true);
      // The recordings have 30 ms of silence at either end, and faint edges are not counted.
      expect(Math.abs(found.startSample - before)).toBeLessThan(0.13 * 8000);
      expect(Math.abs(found.endSample - before - here)).toBeLessThan(0.25 * 8000);
      expect(levelDbov(without.subarray(found.startSample, found.endSample))).toBeLessThan(-40);
      expect(RECOGNISERS.caller.contains(id, through(PCMU, without), 8000).found).toBe(false);
    }
  });

  it("finds phrases in noise 20 dB below", () => {
    for (const { id, samples, sampleRateHz } of PHRASES.caller) {
      const heard = padded(resample(samples, sampleRateHz, 8000), 8000, 8000);
      const noisy = through(PCMU, withNoise(heard, -40, id));
      expect(RECOGNISERS.caller.contains(id, noisy, 8000)).toMatchObject({ found: true });
    }
  });

  it("is a bug to ask for a phrase that was not given", () => {
    expect(() => RECOGNISERS.bot.contains("nonsense", new Int16Array(8000), 8000)).toThrow("Bug");
  });
});
