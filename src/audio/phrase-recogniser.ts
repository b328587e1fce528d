import { assert } from "../environment/index.ts";
import {
  MEL_HOP_SAMPLES,
  MEL_SAMPLE_RATE_HZ,
  type MelSpectrum,
  melSpectrum,
} from "./mel-spectrum.ts";
import {
  type PhraseFeatures,
  phraseFeatures,
  sliceSpectrum,
  speechFrames,
} from "./phrase-features.ts";
import { resample } from "./resampler.ts";
import { type Alignment, alignPhrase } from "./time-warping.ts";

/** A phrase to know again, as recorded: one utterance, with or without silence around it. */
export interface KnownPhrase {
  readonly id: string;
  readonly samples: Int16Array;
  readonly sampleRateHz: number;
}

/** When an utterance counts as a phrase. */
export interface PhraseRecogniserOptions {
  /** The least score, 0 to 1; default 0.7. */
  readonly minScore?: number;
  /** How much better the best phrase must score than the next; default 0.08. */
  readonly minMargin?: number;
}

/** What was recognised. */
export interface Recognition {
  /** The phrase; `undefined` where it was none of them. */
  readonly id: string | undefined;
  /** How well the best phrase fits: 0.75 to 1 for the same words, mostly below 0.55 for others. */
  readonly score: number;
  /** The phrase that fits next best; missing if only one is known. */
  readonly runnerUp?: { readonly id: string; readonly score: number };
}

/** Where a phrase was found within longer audio, if it was. */
export interface Occurrence {
  readonly found: boolean;
  readonly score: number;
  /** The samples that fit the phrase best, found or not. */
  readonly startSample: number;
  /** Exclusive. */
  readonly endSample: number;
}

interface Template {
  readonly id: string;
  readonly centred: PhraseFeatures;
  readonly plain: PhraseFeatures;
}

const MIN_SCORE = 0.7;
const MIN_MARGIN = 0.08;
/** Utterances may lose or gain this much at either end to noise and trimming: 96 ms. */
const SLACK_FRAMES = 6;
/** Windows in which a phrase is looked for: longer than it by this, and overlapping by as much. */
const WINDOW_SHARE = 1.7;
const WINDOW_HOP_SHARE = 0.5;

/**
 * Tells which of a few known recordings an utterance is, if any: by the course of its spectrum,
 * in the telephone's band. Level, codec, sampling rate, silence around it, moderate noise and
 * tempo do not matter; another voice does. It understands no speech.
 */
export class PhraseRecogniser {
  readonly #templates: readonly Template[];
  readonly #minScore: number;
  readonly #minMargin: number;

  constructor(phrases: readonly KnownPhrase[], options: PhraseRecogniserOptions = {}) {
    this.#minScore = options.minScore ?? MIN_SCORE;
    this.#minMargin = options.minMargin ?? MIN_MARGIN;
    this.#templates = phrases.map(({ id, samples, sampleRateHz }) => {
      const spectrum = spectrumOf(samples, sampleRateHz);
      const { start, end } = speechFrames(spectrum);
      const speech = sliceSpectrum(spectrum, start, end);
      return { id, centred: phraseFeatures(speech, true), plain: phraseFeatures(speech, false) };
    });
  }

  /** Which phrase the utterance is; there may be silence around it, but nothing else. */
  recognise(samples: Int16Array, sampleRateHz: number): Recognition {
    const utterance = trimmed(spectrumOf(samples, sampleRateHz));
    const scores = this.#templates
      .map(({ id, centred }) => ({ id, score: score(centred, utterance).score }))
      .toSorted((a, b) => b.score - a.score);
    const [best, runnerUp] = scores;
    if (best === undefined) return { id: undefined, score: 0 };
    const margin = best.score - (runnerUp?.score ?? 0);
    const isSure = best.score >= this.#minScore && margin >= this.#minMargin;
    return {
      id: isSure ? best.id : undefined,
      score: best.score,
      ...(runnerUp === undefined ? {} : { runnerUp }),
    };
  }

  /**
   * Whether phrase `id` occurs somewhere in audio that may hold several utterances.
   *
   * `id` must be one of those that the recogniser was made with.
   */
  contains(id: string, samples: Int16Array, sampleRateHz: number): Occurrence {
    const template = this.#templates.find((candidate) => candidate.id === id);
    assert(template !== undefined, "the caller asks only for phrases that it gave");
    const spectrum = spectrumOf(samples, sampleRateHz);
    let best = { score: 0, startFrame: 0, endFrame: 0 };
    for (const window of windows(spectrum.frameCount, template.plain.frameCount)) {
      const found = locate(template, spectrum, window);
      if (found.score > best.score) best = found;
    }
    const frameSamples = (MEL_HOP_SAMPLES * sampleRateHz) / MEL_SAMPLE_RATE_HZ;
    return {
      found: best.score >= this.#minScore,
      score: best.score,
      startSample: Math.round(best.startFrame * frameSamples),
      endSample: Math.min(samples.length, Math.round(best.endFrame * frameSamples)),
    };
  }
}

interface Place {
  readonly score: number;
  readonly startFrame: number;
  readonly endFrame: number;
}

interface FrameWindow {
  readonly start: number;
  readonly end: number;
}

function spectrumOf(samples: Int16Array, sampleRateHz: number): MelSpectrum {
  return melSpectrum(resample(samples, sampleRateHz, MEL_SAMPLE_RATE_HZ));
}

function trimmed(spectrum: MelSpectrum): PhraseFeatures {
  const { start, end } = speechFrames(spectrum);
  return phraseFeatures(sliceSpectrum(spectrum, start, end), true);
}

/**
 * How well a phrase fits the whole of an utterance: 1 less the mean distance along the best path,
 * as a share of the distance that two frames picked at random would have.
 */
function score(phrase: PhraseFeatures, utterance: PhraseFeatures): Place {
  const limits = { startSlack: SLACK_FRAMES, endSlack: SLACK_FRAMES };
  const alignment = alignPhrase(phrase, utterance, limits);
  if (alignment === undefined) return { score: 0, startFrame: 0, endFrame: 0 };
  return { ...alignment, score: similarity(alignment, phrase, utterance) };
}

function similarity(
  alignment: Alignment,
  phrase: PhraseFeatures,
  utterance: PhraseFeatures,
): number {
  const unrelated = Math.sqrt(phrase.variance + utterance.variance);
  return unrelated === 0 ? 0 : Math.max(0, 1 - alignment.distance / unrelated);
}

/** Finds the best place in one window roughly, then scores it as if it were an utterance alone. */
function locate(template: Template, spectrum: MelSpectrum, window: FrameWindow): Place {
  const around = phraseFeatures(sliceSpectrum(spectrum, window.start, window.end), false);
  const limits = { startSlack: Infinity, endSlack: Infinity };
  const rough = alignPhrase(template.plain, around, limits);
  if (rough === undefined) return { score: 0, startFrame: 0, endFrame: 0 };
  const start = window.start + rough.startFrame;
  const cut = sliceSpectrum(spectrum, start, window.start + rough.endFrame);
  const exact = score(template.centred, phraseFeatures(cut, true));
  return { score: exact.score, startFrame: start, endFrame: window.start + rough.endFrame };
}

function windows(frameCount: number, phraseFrames: number): FrameWindow[] {
  const length = Math.ceil(phraseFrames * WINDOW_SHARE);
  const hop = Math.max(1, Math.floor(phraseFrames * WINDOW_HOP_SHARE));
  const count = Math.max(1, Math.ceil((frameCount - length) / hop) + 1);
  return Array.from({ length: count }, (_, index) => ({
    start: index * hop,
    end: index * hop + length,
  }));
}
