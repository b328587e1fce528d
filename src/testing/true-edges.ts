/** Where an edge of speech is by definition, and between which places it is a matter of opinion. */
export interface TrueEdge {
  /** In samples: the first or last at which 5 ms around are within 35 dB of the loudest 5 ms. */
  readonly at: number;
  /** The same at 37 dB. */
  readonly outermost: number;
  /** The same at 33 dB, or where the sound is as loud as the noise that it lies in. */
  readonly innermost: number;
}

/** Both edges of one utterance. */
export interface TrueEdges {
  readonly onset: TrueEdge;
  readonly offset: TrueEdge;
}

/** By definition of the fixtures (fixtures/README.md). */
const EDGE_DB = 35;
const EDGE_WINDOW_MS = 5;
/** What stands above or below the definition by less than this is there or not by chance. */
const MARGIN_DB = 2;

/**
 * The edges of a clean utterance.
 *
 * @param noiseVariance mean square of the noise that it will lie in; 0: none.
 */
export function trueEdges(
  samples: Float64Array,
  sampleRateHz: number,
  noiseVariance = 0,
): TrueEdges {
  const half = Math.round((EDGE_WINDOW_MS / 2000) * sampleRateHz);
  const energies = windowEnergies(samples, half);
  const most = energies.reduce((a, b) => Math.max(a, b), 0);
  const at = (db: number): number => most * 10 ** (-db / 10);
  const noise = Math.min(noiseVariance * 2 * half, most / 2);
  const onset = (limit: number): number => energies.findIndex((energy) => energy > limit);
  const offset = (limit: number): number => energies.findLastIndex((energy) => energy > limit);
  const of = (crossing: (limit: number) => number): TrueEdge => ({
    at: crossing(at(EDGE_DB)),
    outermost: crossing(at(EDGE_DB + MARGIN_DB)),
    innermost: crossing(Math.max(at(EDGE_DB - MARGIN_DB), noise)),
  });
  return { onset: of(onset), offset: of(offset) };
}

/** The energy of the window around each sample. */
function windowEnergies(samples: Float64Array, half: number): Float64Array {
  const sums = new Float64Array(samples.length + 1);
  for (let index = 0; index < samples.length; index += 1) {
    sums[index + 1] = (sums[index] as number) + (samples[index] as number) ** 2;
  }
  return Float64Array.from(
    samples,
    (_, at) =>
      (sums[Math.min(samples.length, at + half)] as number) -
      (sums[Math.max(0, at - half)] as number),
  );
}
