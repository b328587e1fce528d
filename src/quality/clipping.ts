import type { SampleSpan } from "./sample-span.ts";
import { PLACES_MAX } from "./sample-span.ts";

/** Sound that hit the end of the scale. */
export interface Clipping {
  /** Samples in runs at full scale. */
  readonly samples: number;
  /** Stretches in which it happened; runs less than 20 ms apart are one. */
  readonly count: number;
  /** The first of them, at most `PLACES_MAX`. */
  readonly places: readonly SampleSpan[];
}

/** 0.18 dB below full scale: the loudest codes of µ-law (32,124) and A-law (32,256) reach it. */
const FULL_SCALE_SAMPLE = 32_112;
/** A run is as long as no single peak of speech is. */
const RUN_MS = 0.25;
const RUN_SAMPLES_MIN = 3;
const JOIN_MS = 20;

/**
 * Runs of samples at full scale. It sees what was clipped where the scale of the recording ends, or
 * of G.711; what was clipped before and made softer since looks like any other sound.
 */
export class ClippingDetector {
  readonly #runSamples: number;
  readonly #joinSamples: number;
  readonly #places: SampleSpan[] = [];
  #position = 0;
  #run = 0;
  /** Which end of the scale the run is at. */
  #sign = 0;
  #samples = 0;
  #count = 0;
  #open: SampleSpan | undefined;

  constructor(sampleRateHz: number) {
    this.#runSamples = Math.max(RUN_SAMPLES_MIN, Math.round((sampleRateHz * RUN_MS) / 1000));
    this.#joinSamples = Math.round((sampleRateHz * JOIN_MS) / 1000);
  }

  process(samples: Int16Array): void {
    for (let index = 0; index < samples.length; index += 1) {
      const sample = samples[index] as number;
      const sign = sample >= FULL_SCALE_SAMPLE ? 1 : sample <= -FULL_SCALE_SAMPLE ? -1 : 0;
      if (sign !== 0 && sign === this.#sign) this.#run += 1;
      else {
        if (this.#run >= this.#runSamples) this.#closeRun(this.#position + index);
        this.#run = sign === 0 ? 0 : 1;
        this.#sign = sign;
      }
    }
    this.#position += samples.length;
  }

  result(): Clipping {
    if (this.#run >= this.#runSamples) this.#closeRun(this.#position);
    this.#run = 0;
    const places = this.#open === undefined ? this.#places : [...this.#places, this.#open];
    return { samples: this.#samples, count: this.#count, places: places.slice(0, PLACES_MAX) };
  }

  #closeRun(end: number): void {
    const start = end - this.#run;
    this.#samples += this.#run;
    if (this.#open !== undefined && start - this.#open.endSample < this.#joinSamples) {
      this.#open = { startSample: this.#open.startSample, endSample: end };
      return;
    }
    this.#count += 1;
    if (this.#open !== undefined && this.#places.length < PLACES_MAX) this.#places.push(this.#open);
    this.#open = { startSample: start, endSample: end };
  }
}
