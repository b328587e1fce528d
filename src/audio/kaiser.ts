/** A low-pass prototype: a sinc of `cutoff` (1 = Nyquist) under a Kaiser window of `halfLength`. */
export interface KaiserLowPass {
  /** Half the length of the window, in samples of the lower rate. */
  readonly halfLength: number;
  /** Shape of the window: more rejects better and falls slower. */
  readonly beta: number;
  /** The −6 dB point as a share of the Nyquist frequency of the lower rate. */
  readonly cutoff: number;
}

/**
 * The impulse response at `position` samples (fractions count) from its middle; 0 outside of the
 * window and on its very ends, so that a filter on an even grid keeps an even number of taps.
 */
export function kaiserLowPass(design: KaiserLowPass, position: number): number {
  const relative = position / design.halfLength;
  if (Math.abs(relative) >= 1) return 0;
  const angle = Math.PI * design.cutoff * position;
  const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
  const window = besselI0(design.beta * Math.sqrt(1 - relative * relative));
  return (sinc * window) / besselI0(design.beta);
}

/** The modified Bessel function of the first kind, order 0, by its power series. */
function besselI0(x: number): number {
  const quarter = (x * x) / 4;
  let term = 1;
  let sum = 1;
  for (let order = 1; term > sum * 1e-17; order += 1) {
    term *= quarter / (order * order);
    sum += term;
  }
  return sum;
}
