/** Periods that are looked for: the pitch of speech, 67 to 400 Hz. */
const SHORTEST_MS = 2.5;
const LONGEST_MS = 15;
/** What is compared, and later cross-faded, is a period long, but at least this much. */
const FADE_MIN_MS = 2;
/** The rate at which periods are first compared. */
const COARSE_HZ = 4000;

/** Samples at the ends of a frame that no splice touches. */
export const ENDS_SAMPLES = 2;

/** Two neighbouring stretches of a sound, from `start` and from `start + period`, both `fade` long. */
export class Splice {
  start = 0;
  period = 0;
  fade = 0;
  /** Normalised correlation of the two. */
  likeness = 0;

  /** Puts the splice into the middle of `length` samples. */
  place(length: number, period: number, fade: number): void {
    this.period = period;
    this.fade = fade;
    this.start = Math.floor((length - period - fade) / 2);
  }
}

/** Finds the period by which a sound repeats itself, for one that fits into a frame. */
export class PeriodSearch {
  readonly #shortest: number;
  readonly #longest: number;
  readonly #fadeMin: number;
  readonly #step: number;
  readonly #candidate: Splice = new Splice();

  constructor(sampleRateHz: number) {
    this.#shortest = Math.round((SHORTEST_MS * sampleRateHz) / 1000);
    this.#longest = Math.round((LONGEST_MS * sampleRateHz) / 1000);
    this.#fadeMin = Math.round((FADE_MIN_MS * sampleRateHz) / 1000);
    this.#step = Math.max(1, Math.round(sampleRateHz / COARSE_HZ));
  }

  /** Sets `best` to the most alike neighbours at most `limit` apart; likeness 0 where none fits. */
  find(samples: Int16Array, limit: number, best: Splice): void {
    const longest = Math.min(limit, this.#longest, samples.length - this.#fadeMin - ENDS_SAMPLES);
    best.likeness = 0;
    for (let period = this.#shortest; period <= longest; period += this.#step) {
      this.#consider(samples, period, this.#step, best);
    }
    if (best.likeness === 0) return;
    const from = Math.max(this.#shortest, best.period - this.#step + 1);
    const to = Math.min(longest, best.period + this.#step - 1);
    best.likeness = 0;
    for (let period = from; period <= to; period += 1) this.#consider(samples, period, 1, best);
  }

  #consider(samples: Int16Array, period: number, step: number, best: Splice): void {
    const candidate = this.#candidate;
    const room = samples.length - period - ENDS_SAMPLES;
    candidate.place(samples.length, period, Math.min(period, room));
    const likeness = likenessOf(samples, candidate, step);
    if (likeness <= best.likeness) return;
    best.place(samples.length, period, candidate.fade);
    best.likeness = likeness;
  }
}

function likenessOf(samples: Int16Array, splice: Splice, step: number): number {
  const end = splice.start + splice.fade;
  let product = 0;
  let energy = 1;
  let laterEnergy = 1;
  for (let index = splice.start; index < end; index += step) {
    const sample = samples[index] as number;
    const later = samples[index + splice.period] as number;
    product += sample * later;
    energy += sample * sample;
    laterEnergy += later * later;
  }
  return product / Math.sqrt(energy * laterEnergy);
}
