import { powerDbov, SILENCE_DBOV } from "../audio/index.ts";

/** What P.56 says of speech. */
export interface SpeechLevel {
  /** Level of the speech while it is there; `SILENCE_DBOV` where there is none. */
  readonly activeDbov: number;
  /** Share of the time that speech is there, 0–1. */
  readonly activityFactor: number;
}

// ITU-T P.56 (12/2011) §7 and Table 1, method B.
const TIME_CONSTANT_S = 0.03;
const HANGOVER_S = 0.2;
const MARGIN_DB = 15.9;
/** Thresholds 2^0 to 2^14 of 16-bit samples: one per bit. */
const THRESHOLDS = 15;
/** How often the envelope is compared: it moves by 0.3 dB in that time at most. */
const STEP_S = 0.001;

/**
 * The active speech level by ITU-T P.56, method B: an envelope is compared with thresholds 6 dB
 * apart, and the level is where the power of the time above a threshold lies 15.9 dB above it.
 * Keeps its state from block to block; knows nothing of noise, which it takes for speech if loud.
 */
export class ActiveSpeechLevel {
  readonly #decay: number;
  readonly #hangoverSamples: number;
  readonly #stepSamples: number;
  /** Two exponential averages in series. */
  #first = 0;
  #envelope = 0;
  #sumSquares = 0;
  #count = 0;
  /** Samples for which the envelope has reached each threshold, hangover included. */
  readonly #active = new Float64Array(THRESHOLDS);
  /** Index of the sample at which the envelope was last at or above each threshold. */
  readonly #lastAbove = new Float64Array(THRESHOLDS).fill(-Infinity);

  constructor(sampleRateHz: number) {
    this.#decay = Math.exp(-1 / (sampleRateHz * TIME_CONSTANT_S));
    this.#hangoverSamples = Math.round(HANGOVER_S * sampleRateHz);
    this.#stepSamples = Math.max(1, Math.round(STEP_S * sampleRateHz));
  }

  process(samples: Int16Array): void {
    const decay = this.#decay;
    const gain = 1 - decay;
    let first = this.#first;
    let envelope = this.#envelope;
    let sum = 0;
    let untilStep = this.#stepSamples - (this.#count % this.#stepSamples);
    for (let index = 0; index < samples.length; index += 1) {
      const sample = samples[index] as number;
      sum += sample * sample;
      first = decay * first + gain * Math.abs(sample);
      envelope = decay * envelope + gain * first;
      untilStep -= 1;
      if (untilStep > 0) continue;
      untilStep = this.#stepSamples;
      this.#compare(envelope, this.#count + index + 1);
    }
    this.#first = first;
    this.#envelope = envelope;
    this.#sumSquares += sum;
    this.#count += samples.length;
  }

  result(): SpeechLevel {
    const none = { activeDbov: SILENCE_DBOV, activityFactor: 0 };
    if (this.#sumSquares === 0) return none;
    const longTermDbov = powerDbov(this.#sumSquares / this.#count);
    let above: { readonly level: number; readonly excess: number } | undefined;
    for (let index = 0; index < THRESHOLDS; index += 1) {
      const active = this.#active[index] as number;
      if (active === 0) break;
      const level = powerDbov(this.#sumSquares / active);
      const excess = level - powerDbov(4 ** index) - MARGIN_DB;
      if (excess <= 0) {
        const activeDbov = between(above, { level, excess });
        return { activeDbov, activityFactor: 10 ** ((longTermDbov - activeDbov) / 10) };
      }
      above = { level, excess };
    }
    return none;
  }

  /**
   * Raises the counts: what is at threshold k is at all below. The loop ends at the first threshold
   * that neither the envelope nor a hangover reaches: those above cannot be reached either.
   */
  #compare(envelope: number, now: number): void {
    for (let index = 0; index < THRESHOLDS; index += 1) {
      if (envelope >= 1 << index) this.#lastAbove[index] = now;
      else if (now - (this.#lastAbove[index] as number) > this.#hangoverSamples) return;
      this.#active[index] = (this.#active[index] as number) + this.#stepSamples;
    }
  }
}

/** Where the level would be 15.9 dB above a threshold between these two: P.56 §7.4 interpolates. */
function between(
  above: { readonly level: number; readonly excess: number } | undefined,
  below: { readonly level: number; readonly excess: number },
): number {
  if (above === undefined) return below.level;
  const share = above.excess / (above.excess - below.excess);
  return above.level + share * (below.level - above.level);
}
