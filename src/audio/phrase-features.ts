import { MEL_BANDS, type MelSpectrum, WHITE_SHARES } from "./mel-spectrum.ts";

/** Cepstral coefficients of an utterance over time: how it sounds, whatever its level. */
export interface PhraseFeatures {
  readonly frameCount: number;
  /** `[frame][coefficient]`, `CEPSTRA` to a frame. */
  readonly values: Float64Array;
  /** Mean squared distance of a frame from the mean of all. */
  readonly variance: number;
}

/** Coefficients of a frame: loudness and the shape of the spectrum, without the pitch. */
export const CEPSTRA = 13;

/** The loudness of an utterance is that of its tenth loudest frame, whatever silence is around. */
const LOUD_RANK = 10;
/**
 * White noise this far below the loud frames is added to every spectrum. Noise in the input up to
 * this level then changes little, because the phrase it is compared with has as much.
 */
const NOISE_DB = 15;
/** Frames at either end that are this far below the loud ones are taken for silence. */
const SILENCE_DB = 15;

const COSINES: Float64Array = cosines();

/**
 * The frames between leading and trailing silence, or noise: `end` is exclusive, and equal to
 * `start` if there are none.
 */
export function speechFrames(spectrum: MelSpectrum): { start: number; end: number } {
  const energies = frameEnergies(spectrum);
  const quiet = energies.toSorted()[Math.floor(energies.length / 10)] ?? 0;
  const limit = Math.max(loudEnergy(energies) * 10 ** (-SILENCE_DB / 10), 2 * quiet);
  let start = 0;
  let end = spectrum.frameCount;
  while (start < end && (energies[start] as number) <= limit) start += 1;
  while (end > start && (energies[end - 1] as number) <= limit) end -= 1;
  return { start, end };
}

/** The frames from `start` up to `end` of a longer spectrum. */
export function sliceSpectrum(spectrum: MelSpectrum, start: number, end: number): MelSpectrum {
  const from = Math.max(0, start);
  const to = Math.min(spectrum.frameCount, end);
  const energies = spectrum.energies.subarray(from * MEL_BANDS, to * MEL_BANDS);
  return { frameCount: Math.max(0, to - from), energies };
}

/**
 * Turns spectra into cepstra that do not depend on level, and little on noise.
 *
 * @param isCentred takes the mean of each coefficient away, and with it the colour of codec and
 *   line; right only where the spectrum holds the utterance and nothing else.
 */
export function phraseFeatures(spectrum: MelSpectrum, isCentred: boolean): PhraseFeatures {
  const { frameCount, energies } = spectrum;
  const loud = Math.max(loudEnergy(frameEnergies(spectrum)), 1);
  const noise = loud * 10 ** (-NOISE_DB / 10);
  const values = new Float64Array(frameCount * CEPSTRA);
  const logs = new Float64Array(MEL_BANDS);
  const floors = WHITE_SHARES.map((share) => share * noise);
  for (let frame = 0; frame < frameCount; frame += 1) {
    const first = frame * floors.length;
    for (let band = 0; band < floors.length; band += 1) {
      const energy = (energies[first + band] as number) + (floors[band] as number);
      logs[band] = 10 * Math.log10(energy / loud);
    }
    toCepstra(logs, values.subarray(frame * CEPSTRA, (frame + 1) * CEPSTRA));
  }
  const variance = centre(values, isCentred);
  return { frameCount, values, variance };
}

function toCepstra(logs: Float64Array, cepstra: Float64Array): void {
  for (let order = 0; order < CEPSTRA; order += 1) {
    const row = order * logs.length;
    let sum = 0;
    for (let band = 0; band < logs.length; band += 1) {
      sum += (logs[band] as number) * (COSINES[row + band] as number);
    }
    cepstra[order] = sum;
  }
}

/** Returns the variance about the mean, summed over coefficients; takes the mean away if asked. */
function centre(values: Float64Array, isCentred: boolean): number {
  const frameCount = values.length / CEPSTRA;
  let variance = 0;
  for (let order = 0; order < CEPSTRA; order += 1) {
    let mean = 0;
    for (let at = order; at < values.length; at += CEPSTRA) mean += values[at] as number;
    mean /= Math.max(1, frameCount);
    for (let at = order; at < values.length; at += CEPSTRA) {
      const centred = (values[at] as number) - mean;
      variance += centred * centred;
      if (isCentred) values[at] = centred;
    }
  }
  return variance / Math.max(1, frameCount);
}

function frameEnergies(spectrum: MelSpectrum): Float64Array {
  return Float64Array.from({ length: spectrum.frameCount }, (_, frame) =>
    spectrum.energies
      .subarray(frame * MEL_BANDS, (frame + 1) * MEL_BANDS)
      .reduce((sum, energy) => sum + energy, 0),
  );
}

function loudEnergy(energies: Float64Array): number {
  const sorted = energies.toSorted();
  return sorted[Math.max(0, sorted.length - LOUD_RANK)] ?? 0;
}

/** The orthonormal DCT-II that turns log energies of bands into cepstra. */
function cosines(): Float64Array {
  const table = new Float64Array(CEPSTRA * MEL_BANDS);
  for (let order = 0; order < CEPSTRA; order += 1) {
    const scale = Math.sqrt((order === 0 ? 1 : 2) / MEL_BANDS);
    for (let band = 0; band < MEL_BANDS; band += 1) {
      const angle = (Math.PI * order * (band + 0.5)) / MEL_BANDS;
      table[order * MEL_BANDS + band] = scale * Math.cos(angle);
    }
  }
  return table;
}
