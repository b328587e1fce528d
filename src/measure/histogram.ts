/** A histogram as it is written to `results.json`. */
export interface HistogramData {
  /** Values are kept to within this share of themselves. */
  readonly relativeError: number;
  /** Pairs of bucket and count, buckets in rising order; negative values in `negative`. */
  readonly positive: readonly (readonly [bucket: number, count: number])[];
  readonly negative: readonly (readonly [bucket: number, count: number])[];
  readonly zeros: number;
}

/** Every value is kept to 0.1 % of itself: 1 ms of a second. */
const RELATIVE_ERROR = 0.001;
const GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR);
const LOG_GAMMA = Math.log(GAMMA);
/** Below this (a microsecond) a value in milliseconds is zero. */
const SMALLEST = 0.001;

/**
 * A histogram that can be merged with others without any loss, so that the figures of many runs
 * or threads add up to percentiles of all calls. Buckets grow by a constant factor (DDSketch,
 * Masson et al. 2019), so that any quantile is within 0.1 % of a value of its rank, whatever the
 * distribution; see docs/adr/0032-mergeable-histograms.md. Finite values of either sign.
 */
export class Histogram {
  readonly #positive = new Map<number, number>();
  readonly #negative = new Map<number, number>();
  #zeros = 0;

  /** Reads a histogram back. */
  static from(data: HistogramData): Histogram {
    const histogram = new Histogram();
    histogram.merge(data);
    return histogram;
  }

  add(value: number): void {
    if (Math.abs(value) < SMALLEST) this.#zeros += 1;
    else if (value > 0) increase(this.#positive, bucketOf(value), 1);
    else increase(this.#negative, bucketOf(-value), 1);
  }

  /** Adds all values of another. */
  merge(other: HistogramData): void {
    if (other.relativeError !== RELATIVE_ERROR) {
      throw new RangeError(`a histogram of ${other.relativeError} cannot be merged`);
    }
    for (const [bucket, count] of other.positive) increase(this.#positive, bucket, count);
    for (const [bucket, count] of other.negative) increase(this.#negative, bucket, count);
    this.#zeros += other.zeros;
  }

  get count(): number {
    return sum(this.#positive) + sum(this.#negative) + this.#zeros;
  }

  /** The value of rank ⌊share · (n − 1)⌋, within 0.1 %; NaN where there are none. */
  quantile(share: number): number {
    const rank = Math.floor((this.count - 1) * share);
    let seen = 0;
    for (const [bucket, count] of inOrder(this.#negative).toReversed()) {
      seen += count;
      if (seen > rank) return -valueOf(bucket);
    }
    seen += this.#zeros;
    if (seen > rank && this.#zeros > 0) return 0;
    for (const [bucket, count] of inOrder(this.#positive)) {
      seen += count;
      if (seen > rank) return valueOf(bucket);
    }
    return Number.NaN;
  }

  toJSON(): HistogramData {
    return {
      relativeError: RELATIVE_ERROR,
      positive: inOrder(this.#positive),
      negative: inOrder(this.#negative),
      zeros: this.#zeros,
    };
  }
}

function bucketOf(magnitude: number): number {
  return Math.ceil(Math.log(magnitude) / LOG_GAMMA);
}

/** The value that is within the relative error of everything in the bucket. */
function valueOf(bucket: number): number {
  return (2 * GAMMA ** bucket) / (1 + GAMMA);
}

function increase(buckets: Map<number, number>, bucket: number, count: number): void {
  buckets.set(bucket, (buckets.get(bucket) ?? 0) + count);
}

function inOrder(buckets: ReadonlyMap<number, number>): [number, number][] {
  return [...buckets].toSorted(([a], [b]) => a - b);
}

function sum(buckets: ReadonlyMap<number, number>): number {
  let total = 0;
  for (const count of buckets.values()) total += count;
  return total;
}
