/** A linear predictor of a noise: filtering the noise by its error filter leaves white noise. */
export interface LinearPrediction {
  /** The error filter 1, a1, …, aP. */
  readonly errorFilter: Float64Array;
  /** Mean square of the prediction error over what it was fitted to. */
  readonly errorVariance: number;
}

/**
 * Fits a predictor of `order` to the samples by the autocorrelation method (Levinson–Durbin).
 *
 * @param whiteVariance variance of white noise to assume beneath the samples; above 0, so that
 *   digital silence has a solution.
 */
export function fitPrediction(
  samples: Float64Array,
  order: number,
  whiteVariance: number,
): LinearPrediction {
  const correlation = autocorrelation(samples, order);
  correlation[0] = (correlation[0] as number) + whiteVariance;
  const filter = new Float64Array(order + 1);
  filter[0] = 1;
  let error = correlation[0];
  for (let step = 1; step <= order; step += 1) {
    let sum = 0;
    for (let lag = 0; lag < step; lag += 1) {
      sum += (filter[lag] as number) * (correlation[step - lag] as number);
    }
    const reflection = -sum / error;
    const previous = filter.slice();
    for (let lag = 1; lag <= step; lag += 1) {
      filter[lag] = (previous[lag] as number) + reflection * (previous[step - lag] as number);
    }
    error *= 1 - reflection * reflection;
  }
  return { errorFilter: filter, errorVariance: error };
}

/** The prediction error at `index`; samples before the first count as 0. */
export function predictionError(
  samples: Float64Array,
  index: number,
  prediction: LinearPrediction,
): number {
  const filter = prediction.errorFilter;
  let sum = 0;
  for (let lag = 0; lag < filter.length && lag <= index; lag += 1) {
    sum += (filter[lag] as number) * (samples[index - lag] as number);
  }
  return sum;
}

/** Autocorrelation per sample at lags 0 to `order`. */
function autocorrelation(samples: Float64Array, order: number): Float64Array {
  const correlation = new Float64Array(order + 1);
  for (let lag = 0; lag <= order; lag += 1) {
    let sum = 0;
    for (let index = lag; index < samples.length; index += 1) {
      sum += (samples[index] as number) * (samples[index - lag] as number);
    }
    correlation[lag] = sum / Math.max(1, samples.length);
  }
  return correlation;
}
