/** White noise assumed beneath the samples, 40 dB lower: keeps the filter tame on pure tones. */
const WHITE_SHARE = 1e-4;
/** And the noise of rounding to 16 bits, so that digital silence has a solution. */
const ROUNDING_VARIANCE = 1 / 12;

/**
 * Fits an all-pole model to a sound: autocorrelation method with a Hann window, Levinson–Durbin
 * recursion. Its synthesis filter is always stable. Allocates nothing after construction.
 */
export class LinearPredictor {
  /** The error filter 1, a1, …, aP: sample n is predicted as −Σ a[k]·x[n−k]. */
  readonly coefficients: Float64Array;
  /** The reflection coefficients k1, …, kP at indices 1 to P, each within ±1; a1 = k1 for P = 1. */
  readonly reflections: Float64Array;
  readonly #order: number;
  readonly #window: Float64Array;
  readonly #windowed: Float64Array;
  readonly #previous: Float64Array;

  constructor(order: number, windowSamples: number) {
    this.#order = order;
    this.coefficients = new Float64Array(order + 1);
    this.coefficients[0] = 1;
    this.reflections = new Float64Array(order + 1);
    this.#window = Float64Array.from({ length: windowSamples }, (_, index) => {
      return 0.5 - 0.5 * Math.cos((2 * Math.PI * (index + 0.5)) / windowSamples);
    });
    this.#windowed = new Float64Array(windowSamples);
    this.#previous = new Float64Array(order + 1);
  }

  /** Adds to `correlation` (lags 0 to the order) that of the window that begins at `from`. */
  correlate(samples: Float64Array, from: number, correlation: Float64Array): void {
    const windowed = this.#windowed;
    for (let index = 0; index < windowed.length; index += 1) {
      windowed[index] = (samples[from + index] as number) * (this.#window[index] as number);
    }
    for (let lag = 0; lag <= this.#order; lag += 1) {
      let sum = 0;
      for (let index = lag; index < windowed.length; index += 1) {
        sum += (windowed[index] as number) * (windowed[index - lag] as number);
      }
      correlation[lag] = (correlation[lag] as number) + sum;
    }
  }

  /** Fits the model to an autocorrelation. */
  solve(correlation: Float64Array): void {
    const filter = this.coefficients;
    const previous = this.#previous;
    const power = correlation[0] as number;
    let error = power * (1 + WHITE_SHARE) + ROUNDING_VARIANCE * this.#windowed.length;
    filter.fill(0, 1);
    for (let step = 1; step <= this.#order; step += 1) {
      let sum = 0;
      for (let lag = 0; lag < step; lag += 1) {
        sum += (filter[lag] as number) * (correlation[step - lag] as number);
      }
      const reflection = -sum / error;
      this.reflections[step] = reflection;
      previous.set(filter);
      for (let lag = 1; lag <= step; lag += 1) {
        filter[lag] = (previous[lag] as number) + reflection * (previous[step - lag] as number);
      }
      error *= 1 - reflection * reflection;
    }
  }
}
