/** The extremes of a channel in equal bins, scaled to the channel's own peak. */
export interface Peaks {
  readonly binMs: number;
  /** Minimum and maximum of each bin in turn, −127…127. */
  readonly extremes: Int8Array;
}

/** A louder noise floor than this is not blown up to full height. */
const PEAK_MIN = 2000;

/** Reduces a channel to what a picture of it needs. */
export function peaksOf(samples: Int16Array, sampleRateHz: number, binMs: number): Peaks {
  const binSamples = Math.max(1, Math.round((sampleRateHz * binMs) / 1000));
  const bins = Math.ceil(samples.length / binSamples);
  const scale = 127 / Math.max(PEAK_MIN, peakOf(samples));
  const extremes = new Int8Array(bins * 2);
  for (let bin = 0; bin < bins; bin += 1) {
    let low = 0;
    let high = 0;
    const end = Math.min(samples.length, (bin + 1) * binSamples);
    for (let index = bin * binSamples; index < end; index += 1) {
      const sample = samples[index] as number;
      if (sample < low) low = sample;
      if (sample > high) high = sample;
    }
    extremes[bin * 2] = Math.max(-127, Math.round(low * scale));
    extremes[bin * 2 + 1] = Math.min(127, Math.round(high * scale));
  }
  return { binMs: (binSamples * 1000) / sampleRateHz, extremes };
}

/** The same of extremes that are known already: minimum and maximum in turn, `bins` of them to one. */
export function mergedExtremes(extremes: Int16Array, bins: number): Int8Array {
  const scale = 127 / Math.max(PEAK_MIN, peakOf(extremes));
  const merged = new Int8Array(Math.ceil(extremes.length / (2 * bins)) * 2);
  for (let index = 0; index < extremes.length; index += 1) {
    const at = Math.floor(index / (2 * bins)) * 2 + (index % 2);
    const value = (extremes[index] as number) * scale;
    merged[at] =
      index % 2 === 0
        ? Math.min(merged[at] as number, Math.max(-127, Math.round(value)))
        : Math.max(merged[at] as number, Math.min(127, Math.round(value)));
  }
  return merged;
}

function peakOf(samples: Int16Array): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return peak;
}
