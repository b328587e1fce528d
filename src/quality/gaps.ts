import { levelDbov, powerDbov } from "../audio/index.ts";
import { PLACES_MAX, type SampleSpan } from "./sample-span.ts";

/** Sound that was cut out. */
export interface Gaps {
  /** Samples in stretches of 4 ms or more without any change: digital silence, wherever it was. */
  readonly silentSamples: number;
  /** Stretches cut out of the sound: sound right before and right behind. */
  readonly count: number;
  readonly samples: number;
  /** The first of them, at most `PLACES_MAX`. */
  readonly places: readonly SampleSpan[];
}

interface Candidate extends SampleSpan {
  /** The softer of the sounds before and behind. */
  readonly besideDbov: number;
}

const RUN_MS = 4;
/** A pause of speech dies away and is longer; a lost packet or an underrun is up to this. */
const GAP_MS_MAX = 600;
/** How much sound on either side is looked at. */
const BESIDE_MS = 10;
/** What is softer than this is no sound to be cut out of. */
const BESIDE_DBOV_MIN = -60;
/** Sound on both sides this near to the level of the speech is not a pause of the speaker. */
const BELOW_SPEECH_DB = 20;
/** Candidates kept until the level of the speech is known; more than these are only counted. */
const CANDIDATES_MAX = 10_000;

/**
 * Stretches of digital silence (a constant sample: 0, or ±8 of A-law), and which of them were cut out
 * of the sound: loss without concealment, an underrun, a muted frame.
 */
export class GapDetector {
  readonly #runSamples: number;
  readonly #gapSamples: number;
  readonly #besideSamples: number;
  readonly #candidates: Candidate[] = [];
  #position = 0;
  #last = 0;
  #run = 0;
  #silentSamples = 0;
  /** The last samples before the run, in a ring. */
  readonly #ring: Int16Array;
  #ringNext = 0;
  /** A run whose other side is not known yet. */
  #waiting: (SampleSpan & { readonly beforeDbov: number }) | undefined;
  #behindSum = 0;

  constructor(sampleRateHz: number) {
    this.#runSamples = Math.round((sampleRateHz * RUN_MS) / 1000);
    this.#gapSamples = Math.round((sampleRateHz * GAP_MS_MAX) / 1000);
    this.#besideSamples = Math.round((sampleRateHz * BESIDE_MS) / 1000);
    this.#ring = new Int16Array(this.#besideSamples);
  }

  process(samples: Int16Array): void {
    let last = this.#last;
    let run = this.#run;
    for (let index = 0; index < samples.length; index += 1) {
      const sample = samples[index] as number;
      const goesOn = sample === last && sample <= 8 && sample >= -8;
      if (this.#waiting !== undefined || (!goesOn && run >= this.#runSamples)) {
        this.#watch(sample, this.#position + index, goesOn ? 0 : run);
      }
      if (goesOn) run += 1;
      else {
        run = 1;
        last = sample;
        this.#remember(sample);
      }
    }
    this.#last = last;
    this.#run = run;
    this.#position += samples.length;
  }

  /** @param speechDbov the active level of the channel's speech. */
  result(speechDbov: number): Gaps {
    const gaps = this.#candidates.filter(
      ({ besideDbov }) => besideDbov >= speechDbov - BELOW_SPEECH_DB,
    );
    const open = this.#run >= this.#runSamples ? this.#run : 0;
    return {
      silentSamples: this.#silentSamples + open,
      count: gaps.length,
      samples: gaps.reduce((sum, { startSample, endSample }) => sum + endSample - startSample, 0),
      places: gaps
        .slice(0, PLACES_MAX)
        .map(({ startSample, endSample }) => ({ startSample, endSample })),
    };
  }

  /** The rare case: a run of silence ends here, or what follows one is looked at. */
  #watch(sample: number, position: number, endedRun: number): void {
    if (endedRun >= this.#runSamples) this.#closeRun(position, endedRun);
    else this.#watchBehind(sample, position);
  }

  /** The ring holds what was before the run: it stands still while one lasts. */
  #remember(sample: number): void {
    const slot = this.#ringNext;
    this.#ringNext = slot + 1 === this.#besideSamples ? 0 : slot + 1;
    this.#ring[slot] = sample;
  }

  #closeRun(end: number, run: number): void {
    const start = end - run;
    this.#silentSamples += run;
    this.#waiting = undefined;
    if (run > this.#gapSamples) return;
    const beforeDbov = levelDbov(this.#ring);
    if (beforeDbov < BESIDE_DBOV_MIN) return;
    this.#waiting = { startSample: start, endSample: end, beforeDbov };
    this.#behindSum = 0;
  }

  #watchBehind(sample: number, position: number): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#behindSum += sample * sample;
    if (position < waiting.endSample + this.#besideSamples) return;
    this.#waiting = undefined;
    const behindDbov = powerDbov(this.#behindSum / this.#besideSamples);
    const besideDbov = Math.min(waiting.beforeDbov, behindDbov);
    if (besideDbov < BESIDE_DBOV_MIN || this.#candidates.length >= CANDIDATES_MAX) return;
    this.#candidates.push({
      startSample: waiting.startSample,
      endSample: waiting.endSample,
      besideDbov,
    });
  }
}
