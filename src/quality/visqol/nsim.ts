/** A stretch of a spectrogram, `[frame][band]`. */
export interface Patch {
  readonly bands: number;
  readonly frames: number;
  readonly levels: Float64Array;
}

/** A patch with what does not depend on what it is compared with. */
export interface PreparedPatch extends Patch {
  readonly mean: Float64Array;
  readonly variance: Float64Array;
}

// The 3 × 3 window of NSIM (Hines and Harte, 2012): corner, edge, middle.
const CORNER = 0.011_303_391_017_305_2;
const EDGE = 0.083_825_147_544_263_3;
const MIDDLE = 0.619_485_845_753_726;
/** (0.01 L)² and (0.03 L)² / 2 for an intensity range L of 1. */
const C1 = 1e-4;
const C3 = 4.5e-4;

/** Computes a patch's own part of the comparison once. */
export function preparePatch(patch: Patch): PreparedPatch {
  const mean = smoothed(patch.levels, patch);
  const squares = smoothed(
    patch.levels.map((level) => level * level),
    patch,
  );
  return {
    ...patch,
    mean,
    variance: squares.map((square, index) => square - (mean[index] as number) ** 2),
  };
}

/**
 * The neurogram similarity (NSIM) of two patches of equal size, by band: intensity × structure,
 * averaged over the frames.
 */
export function similarityByBand(one: PreparedPatch, other: PreparedPatch): Float64Array {
  const products = one.levels.map((level, index) => level * (other.levels[index] as number));
  const cross = smoothed(products, one);
  const sums = new Float64Array(one.bands);
  for (let index = 0; index < cross.length; index += 1) {
    const a = one.mean[index] as number;
    const b = other.mean[index] as number;
    const intensity = (2 * a * b + C1) / (a * a + b * b + C1);
    const spread = (one.variance[index] as number) * (other.variance[index] as number);
    // Of silent patches rounding makes it negative.
    const structure =
      ((cross[index] as number) - a * b + C3) / (spread < 0 ? C3 : Math.sqrt(spread) + C3);
    const band = index % one.bands;
    sums[band] = (sums[band] as number) + intensity * structure;
  }
  return sums.map((sum) => sum / one.frames);
}

/** The mean over the bands. */
export function similarityOf(byBand: Float64Array): number {
  return byBand.reduce((sum, each) => sum + each, 0) / byBand.length;
}

/** Convolution with the window; outside of the patch its border goes on. */
export function smoothed(
  values: Float64Array,
  { bands, frames }: Pick<Patch, "bands" | "frames">,
): Float64Array {
  const output = new Float64Array(values.length);
  for (let frame = 0; frame < frames; frame += 1) {
    const here = frame * bands;
    const before = Math.max(0, frame - 1) * bands;
    const behind = Math.min(frames - 1, frame + 1) * bands;
    for (let band = 0; band < bands; band += 1) {
      const below = Math.max(0, band - 1);
      const above = Math.min(bands - 1, band + 1);
      const corners =
        (values[before + below] as number) +
        (values[before + above] as number) +
        (values[behind + below] as number) +
        (values[behind + above] as number);
      const edges =
        (values[before + band] as number) +
        (values[behind + band] as number) +
        (values[here + below] as number) +
        (values[here + above] as number);
      output[here + band] =
        CORNER * corners + EDGE * edges + MIDDLE * (values[here + band] as number);
    }
  }
  return output;
}
