import { kaiserLowPass } from "./kaiser.ts";

/** Taps of the interpolation, and how finely a sample is divided. */
const TAPS = 8;
const PHASES = 128;
const DESIGN = { halfLength: TAPS / 2, beta: 5, cutoff: 1 };

const COEFFICIENTS = interpolation();

/**
 * Resamples `input`, of `length` samples, to the first `wanted` samples of `output`, which must
 * be another array. Both begin and end with the same sample.
 */
export function stretch(
  input: Int16Array,
  length: number,
  output: Int16Array,
  wanted: number,
): void {
  const step = (length - 1) / (wanted - 1);
  for (let index = 0; index < wanted; index += 1) {
    const at = Math.round(index * step * PHASES);
    const phase = at % PHASES;
    const value = interpolated(input, length, (at - phase) / PHASES, phase);
    output[index] = Math.max(-32_768, Math.min(32_767, Math.round(value)));
  }
}

/** The sound `phase` parts after `index`; beyond its ends it stays as there. */
function interpolated(input: Int16Array, length: number, index: number, phase: number): number {
  let sum = 0;
  for (let tap = 0; tap < TAPS; tap += 1) {
    const at = Math.max(0, Math.min(length - 1, index + tap + 1 - TAPS / 2));
    sum += (input[at] as number) * (COEFFICIENTS[phase * TAPS + tap] as number);
  }
  return sum;
}

/** `[phase][tap]`: a Kaiser-windowed sinc, the taps of each phase adding up to 1. */
function interpolation(): Float64Array {
  const coefficients = new Float64Array(PHASES * TAPS);
  for (let phase = 0; phase < PHASES; phase += 1) {
    const row = coefficients.subarray(phase * TAPS, (phase + 1) * TAPS);
    for (let tap = 0; tap < TAPS; tap += 1) {
      row[tap] = kaiserLowPass(DESIGN, tap + 1 - TAPS / 2 - phase / PHASES);
    }
    const sum = row.reduce((total, weight) => total + weight, 0);
    for (let tap = 0; tap < TAPS; tap += 1) row[tap] = (row[tap] as number) / sum;
  }
  return coefficients;
}
