import type { Instant } from "../environment/index.ts";

/** A delay that follows the jitter within bounds. */
export interface DelayBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Packets that come later than this share of all may miss their playout. */
const QUANTILE = 0.97;
/** The share that what is known keeps with each packet: half is forgotten after 7 s at 20 ms. */
const KEEP = 0.998;
const BIN_MS = 2;
/** Above the quantile: forgives that the next packets may be a little worse than the last. */
const MARGIN_MS = 5;
const FALL_MS_PER_S = 10;
/** The quantile is computed anew after so many packets. */
const INTERVAL_PACKETS = 8;
/** Weights are scaled down before they lose precision. */
const WEIGHT_MAX = 1e6;

/**
 * How long the least delayed packet should wait: a high quantile of the delays of the last
 * seconds, from a histogram that forgets, as NetEq has it. It rises at once and falls slowly.
 */
export class DelayTarget {
  readonly #bounds: DelayBounds;
  readonly #bins: Float32Array;
  #weight = 1;
  #total = 0;
  #packets = 0;
  #shiftRestMs = 0;
  #targetMs: number;
  #quantileMs = 0;
  #fellAt: Instant | undefined;

  constructor(bounds: DelayBounds) {
    this.#bounds = bounds;
    this.#bins = new Float32Array(Math.ceil(bounds.maxMs / BIN_MS) + 1);
    // Most networks need no more than the least; on others the first late packets raise it.
    this.#targetMs = bounds.minMs;
  }

  /** What the delay should be now. */
  get targetMs(): number {
    return this.#targetMs;
  }

  /** Takes by how much a packet came later than the least delayed one. */
  observe(delayMs: number, now: Instant): void {
    const bin = Math.min(this.#bins.length - 1, Math.max(0, Math.floor(delayMs / BIN_MS)));
    this.#weight /= KEEP;
    this.#bins[bin] = (this.#bins[bin] as number) + this.#weight;
    this.#total += this.#weight;
    if (this.#weight > WEIGHT_MAX) this.#scale();
    this.#packets += 1;
    if (this.#packets % INTERVAL_PACKETS === 0) this.#quantileMs = this.#quantile();
    this.#move(now);
  }

  /** A packet came too late by now: playout must at least wait for its like, for a while. */
  raise(delayMs: number): void {
    this.#targetMs = Math.max(this.#targetMs, this.#clamp(delayMs + MARGIN_MS));
  }

  /** The least delay itself became longer: all delays known so far are shorter against it. */
  shift(baselineRiseMs: number): void {
    this.#shiftRestMs += baselineRiseMs;
    const bins = Math.trunc(this.#shiftRestMs / BIN_MS);
    if (bins === 0) return;
    this.#shiftRestMs -= bins * BIN_MS;
    this.#targetMs = this.#clamp(this.#targetMs - bins * BIN_MS);
    this.#quantileMs = Math.max(0, this.#quantileMs - bins * BIN_MS);
    if (bins > 0) this.#shiftDown(Math.min(bins, this.#bins.length - 1));
    else this.#shiftUp(Math.min(-bins, this.#bins.length - 1));
  }

  #shiftDown(bins: number): void {
    let underflow = 0;
    for (let index = 0; index < bins; index += 1) underflow += this.#bins[index] as number;
    this.#bins.copyWithin(0, bins);
    this.#bins.fill(0, this.#bins.length - bins);
    this.#bins[0] = (this.#bins[0] as number) + underflow;
  }

  #shiftUp(bins: number): void {
    const last = this.#bins.length - 1;
    let overflow = 0;
    for (let index = last; index > last - bins; index -= 1) overflow += this.#bins[index] as number;
    this.#bins.copyWithin(bins, 0);
    this.#bins.fill(0, 0, bins);
    this.#bins[last] = (this.#bins[last] as number) + overflow;
  }

  /** The upper edge of the bin in which the quantile lies. */
  #quantile(): number {
    const tail = (1 - QUANTILE) * this.#total;
    let above = 0;
    for (let index = this.#bins.length - 1; index > 0; index -= 1) {
      above += this.#bins[index] as number;
      if (above > tail) return (index + 1) * BIN_MS;
    }
    return BIN_MS;
  }

  #move(now: Instant): void {
    const wantedMs = this.#clamp(this.#quantileMs + MARGIN_MS);
    const fallMs = ((now - (this.#fellAt ?? now)) / 1000) * FALL_MS_PER_S;
    this.#fellAt = now;
    this.#targetMs = Math.max(wantedMs, this.#targetMs - Math.max(0, fallMs));
  }

  #scale(): void {
    for (let index = 0; index < this.#bins.length; index += 1) {
      this.#bins[index] = (this.#bins[index] as number) / this.#weight;
    }
    this.#total /= this.#weight;
    this.#weight = 1;
  }

  #clamp(delayMs: number): number {
    return Math.min(this.#bounds.maxMs, Math.max(this.#bounds.minMs, delayMs));
  }
}
