import { FLOOR_QUANTILE } from "./coarse-speech.ts";

const WINDOW_FRAMES = 100;
const BIN_DB = 0.5;
const LOWEST_DBOV = -96;
const BINS = 193;
/** Fewer frames than this say nothing. */
const FRAMES_MIN = 5;
/** Noise spreads by 1 to 2 dB between its 20th and 80th percentile, and even flat speech by 4. */
const STEADY_QUANTILE = 0.8;
const STEADY_SPREAD_DB = 2.5;

/**
 * The background level of a live signal: the 20th percentile of the last second of 10 ms levels,
 * to half a decibel. In the first second it is the lowest level yet, so that speech from the very
 * beginning, which rises from less, is not mistaken for it. Keeps a histogram, so that a frame costs the same however long the window is.
 */
export class BackgroundLevel {
  readonly #recent: Uint8Array = new Uint8Array(WINDOW_FRAMES);
  readonly #histogram: Uint16Array = new Uint16Array(BINS);
  #frames = 0;
  #next = 0;

  /** Takes the level of the next 10 ms. */
  add(levelDbov: number): void {
    const bin = Math.max(0, Math.min(BINS - 1, Math.round((levelDbov - LOWEST_DBOV) / BIN_DB)));
    if (this.#frames === WINDOW_FRAMES) {
      const oldest = this.#recent[this.#next] as number;
      this.#histogram[oldest] = (this.#histogram[oldest] as number) - 1;
    } else this.#frames += 1;
    this.#recent[this.#next] = bin;
    this.#histogram[bin] = (this.#histogram[bin] as number) + 1;
    this.#next = (this.#next + 1) % WINDOW_FRAMES;
  }

  /** The level now; `undefined` until there is enough to judge by. */
  get dbov(): number | undefined {
    if (this.#frames < FRAMES_MIN) return undefined;
    return this.#quantile(this.#frames < WINDOW_FRAMES ? 0 : FLOOR_QUANTILE);
  }

  /** Whether the whole last second was as even as noise or a tone; speech never is. */
  get isSteady(): boolean {
    const spreadDb = this.#quantile(STEADY_QUANTILE) - this.#quantile(FLOOR_QUANTILE);
    return this.#frames === WINDOW_FRAMES && spreadDb < STEADY_SPREAD_DB;
  }

  #quantile(share: number): number {
    const wanted = share * this.#frames;
    let seen = 0;
    let bin = -1;
    while (seen <= wanted && bin < BINS - 1) {
      bin += 1;
      seen += this.#histogram[bin] as number;
    }
    return LOWEST_DBOV + bin * BIN_DB;
  }
}
