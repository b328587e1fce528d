import { type BurstMeasures, DtmfBurst } from "./dtmf-burst.ts";
import { DECIMATOR_INPUT_MAX, DtmfDecimator } from "./dtmf-decimator.ts";
import { digitOfTones, HIGH_GROUP_HZ, LOW_GROUP_HZ } from "./dtmf-frequencies.ts";
import { DtmfSpectrum } from "./dtmf-spectrum.ts";
import type { DtmfTone } from "./dtmf-tone-generator.ts";
import { meanSquareOf } from "./level.ts";

/** How a `DtmfToneDetector` decides. */
export interface DtmfToneDetectorOptions {
  /** 8000 or a multiple of it: 16,000, 24,000, 48,000. */
  readonly sampleRateHz: number;
  /** Tones of this length are found; those shorter by 17 ms or more are not. Default 40. */
  readonly minDurationMs?: number;
  /** RMS level that each of the two tones must have; default −42 (−36 dBm0). */
  readonly minLevelDbov?: number;
}

const DEFAULT_MIN_DURATION_MS = 40;
const DEFAULT_MIN_LEVEL_DBOV = -42;
/** The limit lies in the middle between what must be accepted and what must not. */
const DURATION_MARGIN_MS = 8.5;
/** In a window, a tone is so much stronger in power than the others of its group. */
const GROUP_DOMINANCE = 4;
/** The part of a window's energy that the two tones must be; edges count as well. */
const WINDOW_PURITY_MIN = 0.6;
/** The part of a burst's mean power that its windows must have; below, there is a pause. */
const RELATIVE_POWER_MIN = 1 / 8;
/** So many windows (5 ms each) without the digit end it: more than 10 ms break, less than 40. */
const SILENT_WINDOWS_MAX = 6;
const WINDOWS_MIN = 4;
/** Between the 1.5 % that must be accepted and the 3.5 % that must not, nearer to the first. */
const DEVIATION_MAX = 0.02;
/** High against low tone: −8 to +4 dB must be accepted, and can be measured to 2 dB. */
const TWIST_DB_MIN = -10;
const TWIST_DB_MAX = 6;
const COHERENCE_MIN = 0.85;
/** What voices hold on to for long is never pure; for a moment it may nearly be. */
const PURITY_MIN = 0.87;
const SHORT_PURITY_MIN = 0.9;
const SHORT_MS = 60;
/** More than there is of energy: the measurement itself went wrong. */
const PURITY_MAX = 1.15;

/**
 * Finds DTMF digits in audio and says when they began and how long they lasted.
 *
 * It is built to the limits of ITU-T Q.24 (table A-1, as AT&T, NTT and others require) and ETSI
 * ES 201 235-3, as far as they concern digital audio; where the texts themselves were not at hand,
 * as Asterisk's dsp.c, spandsp and vendors' manuals repeat them:
 *
 * | What | Accepted | Rejected | Between |
 * |---|---|---|---|
 * | frequency, each tone | ±1.5 % | ±3.5 % | limit 2 % |
 * | level, each tone | −25 to 0 dBm0 (here from −36) | | |
 * | twist (high against low) | −8 to +4 dB | | limits −10, +6 |
 * | duration | from 40 ms | below 23 ms | limit 31.5 |
 * | pause between digits | from 40 ms | | |
 * | interruption that is bridged | up to 10 ms | | about 20 ms |
 * | white noise | 15 dB below the digit | | |
 * | dial tone 350 + 440 Hz, 425 Hz | up to 6 dB above the digit, each | | |
 *
 * A burst of two tones is judged when it is over, by all of its windows: exact frequencies, twist,
 * how pure and how steady it was. Voices fail at one of them (see the talk-off tests). So a digit
 * comes out about 35 ms after its end. Starts are exact to 5 ms, durations to 10 ms.
 *
 * It knows no clock but the samples, and the same samples give the same digits however they are
 * cut into frames. It allocates nothing while there are no tones.
 */
export class DtmfToneDetector {
  readonly #sampleRateHz: number;
  readonly #minDurationMs: number;
  /** Squared amplitude. */
  readonly #minPower: number;
  readonly #decimator: DtmfDecimator;
  readonly #spectrum: DtmfSpectrum;
  readonly #decimated = new Float64Array(DECIMATOR_INPUT_MAX);
  readonly #digits: DtmfTone[] = [];
  #burst: DtmfBurst | undefined;

  /** @throws UsageError ERR_SAMPLE_RATE_UNSUPPORTED. */
  constructor(options: DtmfToneDetectorOptions) {
    const { minDurationMs = DEFAULT_MIN_DURATION_MS } = options;
    this.#sampleRateHz = options.sampleRateHz;
    this.#minDurationMs = minDurationMs - DURATION_MARGIN_MS;
    this.#minPower = 2 * meanSquareOf(options.minLevelDbov ?? DEFAULT_MIN_LEVEL_DBOV);
    const decimator = new DtmfDecimator(options.sampleRateHz);
    this.#decimator = decimator;
    this.#spectrum = new DtmfSpectrum((hz) => decimator.gain(hz));
  }

  /** Takes the next samples, of any number. */
  handleSamples(samples: Int16Array): void {
    for (let from = 0; from < samples.length; from += DECIMATOR_INPUT_MAX) {
      const to = Math.min(from + DECIMATOR_INPUT_MAX, samples.length);
      const count = this.#decimator.process(samples, from, to, this.#decimated);
      let taken = 0;
      while (taken < count) {
        taken += this.#spectrum.take(this.#decimated, taken, count);
        if (this.#spectrum.isBlockComplete) this.#handleWindow();
      }
    }
  }

  /** No more samples will come: a tone that still sounds is over. */
  end(): void {
    this.#endBurst();
  }

  /** Removes and returns the oldest digit; `startSample` counts from the first sample. */
  takeDigit(): DtmfTone | undefined {
    return this.#digits.shift();
  }

  #handleWindow(): void {
    const spectrum = this.#spectrum;
    // Where all energy together is too little for a tone, none has to be looked for.
    if (spectrum.powerBound < this.#minPower / 2) return this.#passWindow();
    const { meanSquare } = spectrum;
    spectrum.window();
    const lowTones = LOW_GROUP_HZ.length;
    const row = dominant(spectrum.windowPower, 0, lowTones);
    if (row < 0) return this.#passWindow();
    const high = dominant(spectrum.windowPower, lowTones, lowTones + HIGH_GROUP_HZ.length);
    if (high < 0 || !this.#isDigit(row, high, meanSquare)) return this.#passWindow();
    let burst = this.#burst;
    if (burst?.isOf(row, high - lowTones) !== true) {
      this.#endBurst();
      burst = new DtmfBurst(row, high - lowTones, spectrum);
      this.#burst = burst;
    }
    burst.add(spectrum, meanSquare);
  }

  /** A window without a digit: enough of them end one. */
  #passWindow(): void {
    const isOver = (this.#burst?.silentWindows(this.#spectrum) ?? 0) >= SILENT_WINDOWS_MAX;
    if (isOver) this.#endBurst();
  }

  /** Whether the newest window consists of these two tones and, in a burst, belongs to it. */
  #isDigit(row: number, high: number, meanSquare: number): boolean {
    const { windowPower, filterPower } = this.#spectrum;
    const lowPower = windowPower[row] as number;
    const highPower = windowPower[high] as number;
    // A window half within the tone is weaker.
    if (Math.min(lowPower, highPower) < this.#minPower / 2) return false;
    // The mean square of a sine is half its squared amplitude.
    const lowPart = (lowPower * (filterPower[row] as number)) / 2;
    const highPart = (highPower * (filterPower[high] as number)) / 2;
    if (lowPart + highPart < WINDOW_PURITY_MIN * meanSquare) return false;
    const burst = this.#burst;
    if (burst?.isOf(row, high - LOW_GROUP_HZ.length) !== true) return true;
    return lowPower + highPower > RELATIVE_POWER_MIN * burst.meanPower;
  }

  #endBurst(): void {
    const burst = this.#burst;
    if (burst === undefined) return;
    this.#burst = undefined;
    const measures = burst.measure(this.#spectrum);
    if (!this.#isKey(measures)) return;
    const sample = (measures.startMs * this.#sampleRateHz) / 1000 - this.#decimator.delaySamples;
    this.#digits.push({
      digit: digitOfTones(burst.row, burst.column),
      startSample: Math.max(0, Math.round(sample)),
      durationMs: measures.durationMs,
    });
  }

  /** Whether a telephone key made the burst, or something else. */
  #isKey(measures: BurstMeasures): boolean {
    const { durationMs, purity, twistDb } = measures;
    return (
      measures.windows >= WINDOWS_MIN &&
      durationMs >= this.#minDurationMs &&
      Math.abs(measures.lowDeviation) <= DEVIATION_MAX &&
      Math.abs(measures.highDeviation) <= DEVIATION_MAX &&
      twistDb >= TWIST_DB_MIN &&
      twistDb <= TWIST_DB_MAX &&
      measures.coherence >= COHERENCE_MIN &&
      purity >= (durationMs < SHORT_MS ? SHORT_PURITY_MIN : PURITY_MIN) &&
      purity <= PURITY_MAX
    );
  }
}

/** The tone from `from` to `to` that dominates the others, or −1. */
function dominant(powers: Float64Array, from: number, to: number): number {
  let best = from;
  let second = 0;
  for (let tone = from + 1; tone < to; tone += 1) {
    const power = powers[tone] as number;
    if (power > (powers[best] as number)) {
      second = powers[best] as number;
      best = tone;
    } else if (power > second) second = power;
  }
  return (powers[best] as number) >= GROUP_DOMINANCE * second ? best : -1;
}
