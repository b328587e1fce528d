import { type KaiserLowPass, kaiserLowPass } from "./kaiser.ts";

/** A coefficient is a whole number of 2^−24: finer than 32-bit floating point sums are. */
export const COEFFICIENT_BITS = 24;
const ONE = 2 ** COEFFICIENT_BITS;
/** The taps of a phase are padded to whole vectors of the SIMD kernel. */
const VECTOR_SAMPLES = 8;

/**
 * The coefficients of a rational resampler (`up`/`down`, coprime).
 *
 * Output n stands at n·down/up samples of the input: `phase`/up after the newest sample that it
 * needs. It is the dot product of that phase's taps with the `length` newest samples.
 *
 * The coefficients are whole numbers, so that every sum is exact: any order of summation, any
 * chunks and any machine give the same output.
 */
export interface PolyphaseTaps {
  readonly up: number;
  readonly down: number;
  /** Taps of each phase; a multiple of eight. */
  readonly length: number;
  /** `[phase][tap]`, oldest sample first, times 2^24; the taps of a phase add up to 2^24. */
  readonly coefficients: Int32Array;
}

/** Lays out `design` for `up`/`down`; the delay is exactly `halfLength` samples of the lower rate. */
export function polyphaseTaps(up: number, down: number, design: KaiserLowPass): PolyphaseTaps {
  const span = 2 * design.halfLength * Math.max(up, down);
  const length = VECTOR_SAMPLES * Math.ceil(span / up / VECTOR_SAMPLES);
  const coefficients = new Int32Array(up * length);
  for (let phase = 0; phase < up; phase += 1) {
    const weights = phaseWeights(phase, { up, down, length }, design);
    coefficients.set(wholeNumbers(weights), phase * length);
  }
  return { up, down, length, coefficients };
}

/** The impulse response where one phase samples it, oldest sample first. */
function phaseWeights(
  phase: number,
  { up, down, length }: Pick<PolyphaseTaps, "up" | "down" | "length">,
  design: KaiserLowPass,
): Float64Array {
  const longer = Math.max(up, down);
  return Float64Array.from({ length }, (_, tap) => {
    const age = length - 1 - tap;
    return kaiserLowPass(design, design.halfLength - (phase + age * up) / longer);
  });
}

/** Scales the weights to a sum of exactly 2^24: no ripple at 0 Hz. The largest takes the rest. */
function wholeNumbers(weights: Float64Array): Int32Array {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const whole = Int32Array.from(weights, (weight) => Math.round((weight / sum) * ONE));
  const rest = whole.reduce((left, value) => left - value, ONE);
  const largest = whole.indexOf(whole.reduce((most, value) => Math.max(most, value)));
  whole[largest] = (whole[largest] as number) + rest;
  return whole;
}
