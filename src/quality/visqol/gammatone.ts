/** One gammatone filter: four sections of second order, which share their poles. */
interface GammatoneFilter {
  readonly centreHz: number;
  /** b0 and b1 of each section; b2 is 0. The first has the gain of all in it. */
  readonly numerators: readonly (readonly [number, number])[];
  /** a1 and a2. */
  readonly denominator: readonly [number, number];
}

// Glasberg and Moore, in Slaney's Apple Technical Report #35.
const EAR_Q = 9.264_49;
const MIN_BANDWIDTH_HZ = 24.7;
const BANDWIDTH_SHARE = 1.019;

/** Centre frequencies even on the ERB scale (Apple TR #35, p. 33), lowest first. */
export function gammatoneCentres(lowHz: number, highHz: number, bands: number): number[] {
  const offset = EAR_Q * MIN_BANDWIDTH_HZ;
  const step = Math.log((lowHz + offset) / (highHz + offset)) / bands;
  return Array.from(
    { length: bands },
    (_, band) => Math.exp((bands - band) * step) * (highHz + offset) - offset,
  );
}

/** A bank of gammatone filters that tells how strong each band is in a stretch of sound. */
export class GammatoneBank {
  readonly bands: number;
  readonly #filters: readonly GammatoneFilter[];

  constructor(centresHz: readonly number[], sampleRateHz: number) {
    this.bands = centresHz.length;
    this.#filters = centresHz.map((centreHz) => designFilter(centreHz, sampleRateHz));
  }

  /** RMS of each band over `sound`, from filters at rest: every stretch stands for itself. */
  levels(sound: Float64Array, output: Float64Array): void {
    for (const [band, filter] of this.#filters.entries()) {
      output[band] = Math.sqrt(meanSquareThrough(filter, sound));
    }
  }
}

function meanSquareThrough(
  { numerators, denominator }: GammatoneFilter,
  sound: Float64Array,
): number {
  const [[p0, p1], [q0, q1], [r0, r1], [s0, s1]] = numerators as [
    readonly [number, number],
    readonly [number, number],
    readonly [number, number],
    readonly [number, number],
  ];
  const [a1, a2] = denominator;
  let [pz0, pz1, qz0, qz1, rz0, rz1, sz0, sz1] = [0, 0, 0, 0, 0, 0, 0, 0];
  let sum = 0;
  for (let index = 0; index < sound.length; index += 1) {
    const x = sound[index] as number;
    const p = p0 * x + pz0;
    pz0 = p1 * x + pz1 - a1 * p;
    pz1 = -a2 * p;
    const q = q0 * p + qz0;
    qz0 = q1 * p + qz1 - a1 * q;
    qz1 = -a2 * q;
    const r = r0 * q + rz0;
    rz0 = r1 * q + rz1 - a1 * r;
    rz1 = -a2 * r;
    const s = s0 * r + sz0;
    sz0 = s1 * r + sz1 - a1 * s;
    sz1 = -a2 * s;
    sum += s * s;
  }
  return sum / sound.length;
}

/** Slaney's design: Apple TR #35, pp. 5–7; unit gain at the centre. */
function designFilter(centreHz: number, sampleRateHz: number): GammatoneFilter {
  const period = 1 / sampleRateHz;
  const bandwidth = BANDWIDTH_SHARE * 2 * Math.PI * (centreHz / EAR_Q + MIN_BANDWIDTH_HZ) * period;
  const decay = Math.exp(-bandwidth);
  const angle = 2 * Math.PI * centreHz * period;
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const wide = Math.sqrt(3 + 2 ** 1.5);
  const narrow = Math.sqrt(3 - 2 ** 1.5);
  const zeros = [wide, -wide, narrow, -narrow];
  const gain =
    zeros
      .map((zero) => {
        const pull = 2 * period * decay * (cosine + zero * sine);
        return Math.hypot(
          pull * cosine - 2 * period * Math.cos(2 * angle),
          pull * sine - 2 * period * Math.sin(2 * angle),
        );
      })
      .reduce((product, factor) => product * factor, 1) /
    poleGain(angle, decay) ** 4;
  return {
    centreHz,
    numerators: zeros.map((zero, section) => {
      const scale = section === 0 ? gain : 1;
      return [period / scale, (-period * decay * (cosine + zero * sine)) / scale] as const;
    }),
    denominator: [-2 * cosine * decay, decay * decay],
  };
}

function poleGain(angle: number, decay: number): number {
  const [cosine, sine] = [Math.cos(2 * angle), Math.sin(2 * angle)];
  return Math.hypot(
    -2 * decay * decay - 2 * cosine + 2 * (1 + cosine) * decay,
    -2 * sine + 2 * sine * decay,
  );
}
