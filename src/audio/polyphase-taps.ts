import { type KaiserLowPass, kaiserLowPass } from "./kaiser.ts";

/**
 * The coefficients of a rational resampler (`up`/`down`, coprime), laid out for one plain kernel.
 *
 * Outputs go in periods of `up`, inputs in periods of `down`. The input is dealt out to `down`
 * streams, sample i to stream i mod `down`; output r of period j is the sum over the streams of a
 * short filter over the stream's newest samples up to period j. So every ratio, whether it raises
 * or lowers the rate, runs the same dot product over contiguous memory.
 */
export interface PolyphaseTaps {
  readonly up: number;
  readonly down: number;
  /** Taps for each pair of output phase and stream; a multiple of four. */
  readonly tapsPerStream: number;
  /** `[phase][stream][tap]`, oldest sample first; the taps of a phase add up to 1. */
  readonly coefficients: Float64Array;
  /** For each output phase, the place in its input period of the newest sample that it needs. */
  readonly newestInput: Int32Array;
}

/** Where one tap stands: its stream, how many periods back, and its weight. */
interface Tap {
  readonly stream: number;
  readonly lag: number;
  readonly weight: number;
}

/** Lays out `design` for `up`/`down`; the delay is exactly `halfLength` samples of the lower rate. */
export function polyphaseTaps(up: number, down: number, design: KaiserLowPass): PolyphaseTaps {
  const phases = Array.from({ length: up }, (_, phase) => phaseTaps(phase, up, down, design));
  const lags = phases.flat().reduce((most, tap) => Math.max(most, tap.lag + 1), 0);
  const tapsPerStream = 4 * Math.ceil(lags / 4);
  const coefficients = new Float64Array(up * down * tapsPerStream);
  for (const [phase, taps] of phases.entries()) {
    for (const { stream, lag, weight } of taps) {
      const row = (phase * down + stream) * tapsPerStream;
      coefficients[row + tapsPerStream - 1 - lag] = weight;
    }
  }
  const newestInput = Int32Array.from(phases, (_, phase) => Math.floor((phase * down) / up));
  return { up, down, tapsPerStream, coefficients, newestInput };
}

/** The taps of one output phase, scaled so that they add up to 1: no ripple at 0 Hz. */
function phaseTaps(phase: number, up: number, down: number, design: KaiserLowPass): Tap[] {
  const longer = Math.max(up, down);
  const newest = Math.floor((phase * down) / up);
  const remainder = (phase * down) % up;
  const taps: Tap[] = [];
  let sum = 0;
  for (let age = 0; remainder + age * up < 2 * design.halfLength * longer; age += 1) {
    const position = design.halfLength - (remainder + age * up) / longer;
    const weight = kaiserLowPass(design, position);
    const stream = (((newest - age) % down) + down) % down;
    taps.push({ stream, lag: (stream - newest + age) / down, weight });
    sum += weight;
  }
  return taps.map((tap) => ({ ...tap, weight: tap.weight / sum }));
}
