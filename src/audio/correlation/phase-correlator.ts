import FFT from "fft.js";
import { NARROW_HZ } from "./narrow-reader.ts";

/** The band that counts: what G.711 passes, and every codec above it. */
const LOWEST_HZ = 200;
const HIGHEST_HZ = 3600;

/** The highest point of a correlation. */
export interface CorrelationPeak {
  /** In samples from the beginning of the block, to a fraction. */
  readonly lag: number;
  /**
   * Height over the root mean square of the whole correlation: how much it stands out. Of the most
   * that there can be, √(2 · frequencies), it is the share of frequencies that agree.
   */
  readonly prominence: number;
  /** Where else the block says the same: another peak that is at least half as high. */
  readonly rivalLag?: number;
}

/** What of the peak's surroundings is its own: 1 ms to either side. */
const OWN_SAMPLES = 8;
/** A rival is at least so high, and stands out so much that it is not chance. */
const RIVAL_SHARE = 0.5;
const RIVAL_PROMINENCE = 7;

/**
 * Generalised cross-correlation with phase transform (Knapp and Carter, 1976), at 8 kHz: how much
 * later a block contains a known stretch. Every frequency counts the same, whatever its level, so
 * that the peak is sharp although speech is not white.
 *
 * Blocks overlap as in overlap-save: a stretch of R samples in a block of `size` is found at lags
 * from 0 to `size` − R; what lies beyond wraps round and means nothing.
 */
export class PhaseCorrelator {
  readonly size: number;
  readonly #fft: FFT;
  readonly #padded: Float64Array;
  readonly #reference: Float64Array;
  readonly #block: Float64Array;
  readonly #cross: Float64Array;
  readonly #correlation: Float64Array;
  readonly #firstBin: number;
  readonly #lastBin: number;
  readonly #rms: number;

  /** @param size of blocks; a power of two. */
  constructor(size: number) {
    this.size = size;
    this.#fft = new FFT(size);
    this.#padded = new Float64Array(size);
    this.#reference = new Float64Array(2 * size);
    this.#block = new Float64Array(2 * size);
    this.#cross = new Float64Array(2 * size);
    this.#correlation = new Float64Array(2 * size);
    this.#firstBin = Math.ceil((LOWEST_HZ * size) / NARROW_HZ);
    this.#lastBin = Math.floor((HIGHEST_HZ * size) / NARROW_HZ);
    // Every frequency has the magnitude 1 and no counterpart at its negative.
    this.#rms = Math.sqrt((this.#lastBin - this.#firstBin + 1) / 2) / size;
  }

  /** Takes the known stretch that blocks are searched for. */
  setReference(samples: Float64Array): void {
    this.#padded.fill(0);
    this.#padded.set(samples);
    this.#fft.realTransform(this.#reference, this.#padded);
  }

  /** Finds where `block` (`size` samples) is most like the reference, among `lagCount` lags. */
  findPeak(block: Float64Array, lagCount: number): CorrelationPeak {
    this.#correlate(block);
    let best = 0;
    for (let lag = 1; lag < lagCount; lag += 1) {
      if (this.#at(lag) > this.#at(best)) best = lag;
    }
    const height = this.#at(best);
    const before = this.#at(best === 0 ? this.size - 1 : best - 1);
    const rivalLag = this.#rivalOf(best, lagCount);
    return {
      lag: best + summit(before, height, this.#at(best + 1)),
      prominence: height / this.#rms,
      ...(rivalLag === undefined ? {} : { rivalLag }),
    };
  }

  /** Real parts stand at even places; what lies between is the Hilbert transform. */
  #at(lag: number): number {
    return this.#correlation[2 * lag] as number;
  }

  #correlate(block: Float64Array): void {
    this.#fft.realTransform(this.#block, block);
    const [x, y, cross] = [this.#reference, this.#block, this.#cross];
    for (let bin = this.#firstBin; bin <= this.#lastBin; bin += 1) {
      const [re, im] = [2 * bin, 2 * bin + 1];
      const [xr, xi] = [x[re] as number, x[im] as number];
      const [yr, yi] = [y[re] as number, y[im] as number];
      const [real, imaginary] = [yr * xr + yi * xi, yi * xr - yr * xi];
      const magnitude = Math.sqrt(real * real + imaginary * imaginary);
      const weight = magnitude > 0 ? 1 / magnitude : 0;
      cross[re] = real * weight;
      cross[im] = imaginary * weight;
    }
    this.#fft.inverseTransform(this.#correlation, cross);
  }

  #rivalOf(best: number, lagCount: number): number | undefined {
    const limit = Math.max(RIVAL_SHARE * this.#at(best), RIVAL_PROMINENCE * this.#rms);
    let rival: number | undefined;
    for (let lag = 0; lag < lagCount; lag += 1) {
      if (this.#at(lag) < limit || Math.abs(lag - best) <= OWN_SAMPLES) continue;
      if (rival === undefined || this.#at(lag) > this.#at(rival)) rival = lag;
    }
    return rival;
  }
}

/** Where a parabola through three neighbours is highest, from the middle one. */
function summit(before: number, middle: number, behind: number): number {
  const curvature = before - 2 * middle + behind;
  if (curvature >= 0) return 0;
  return Math.max(-0.5, Math.min(0.5, (0.5 * (before - behind)) / curvature));
}
