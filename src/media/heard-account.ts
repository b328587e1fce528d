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
  readonly #samples = {
    played: 0,
    concealed: 0,
    fecRecovered: 0,
    comfortNoise: 0,
    silent: 0,
    inserted: 0,
    skipped: 0,
  };

  constructor(sampleRateHz: number) {
    this.#samplesPerMs = sampleRateHz / 1000;
  }

  /** Adds samples that were handed out, or skipped. */
  add(kind: HeardKind | "inserted" | "skipped", samples: number): void {
    this.#samples[kind] += samples;
  }

  /** Silence of a moment ago was in place of lost audio, as it turns out. */
  conceded(samples: number): void {
    this.#samples.silent -= samples;
    this.#samples.concealed += samples;
  }

  /** The account so far. */
  get account(): HeardAccount {
    const ms = (samples: number): number => samples / this.#samplesPerMs;
    return {
      playedMs: ms(this.#samples.played),
      concealedMs: ms(this.#samples.concealed),
      fecRecoveredMs: ms(this.#samples.fecRecovered),
      comfortNoiseMs: ms(this.#samples.comfortNoise),
      silentMs: ms(this.#samples.silent),
      insertedMs: ms(this.#samples.inserted),
      skippedMs: ms(this.#samples.skipped),
    };
  }
}
