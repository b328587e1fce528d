/** What was handed out to be heard, in milliseconds; all but `skippedMs` sum to what was taken. */
export interface HeardAccount {
  /** Decoded audio, without what time scaling put into it. */
  readonly playedMs: number;
  /** What stood in for lost audio, be it silence where it was lost for long. */
  readonly concealedMs: number;
  /** Lost audio that the packet after it carried (Opus in-band FEC). */
  readonly fecRecoveredMs: number;
  readonly comfortNoiseMs: number;
  readonly silentMs: number;
  /** Put into audio by time scaling. */
  readonly insertedMs: number;
  /** Left out of audio by time scaling: it was not heard. */
  readonly skippedMs: number;
}

/** Where samples came from. */
export type HeardKind = "played" | "concealed" | "fecRecovered" | "comfortNoise" | "silent";

/** Counts samples, so that the sums are exact. */
export class HeardSamples {
  readonly #samplesPerMs: number;
  #played = 0;
  #concealed = 0;
  #fecRecovered = 0;
  #comfortNoise = 0;
  #silent = 0;
  #inserted = 0;
  #skipped = 0;

  constructor(sampleRateHz: number) {
    this.#samplesPerMs = sampleRateHz / 1000;
  }

  /** Adds samples that were handed out. A switch: it is called several times per frame. */
  add(kind: HeardKind, samples: number): void {
    switch (kind) {
      case "played":
        this.#played += samples;
        break;
      case "concealed":
        this.#concealed += samples;
        break;
      case "fecRecovered":
        this.#fecRecovered += samples;
        break;
      case "comfortNoise":
        this.#comfortNoise += samples;
        break;
      case "silent":
        this.#silent += samples;
        break;
    }
  }

  /** Adds samples that time scaling put in. */
  addInserted(samples: number): void {
    this.#inserted += samples;
  }

  /** Adds samples that time scaling left out. */
  addSkipped(samples: number): void {
    this.#skipped += samples;
  }

  /** Silence of a moment ago was in place of lost audio, as it turns out. */
  conceded(samples: number): void {
    this.#silent -= samples;
    this.#concealed += samples;
  }

  /** The account so far. */
  get account(): HeardAccount {
    const ms = (samples: number): number => samples / this.#samplesPerMs;
    return {
      playedMs: ms(this.#played),
      concealedMs: ms(this.#concealed),
      fecRecoveredMs: ms(this.#fecRecovered),
      comfortNoiseMs: ms(this.#comfortNoise),
      silentMs: ms(this.#silent),
      insertedMs: ms(this.#inserted),
      skippedMs: ms(this.#skipped),
    };
  }
}
