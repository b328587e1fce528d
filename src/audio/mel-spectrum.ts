import FFT from "fft.js";

/** Mel-spaced bands of telephone width, over time. */
export interface MelSpectrum {
  readonly frameCount: number;
  /** `[frame][band]`: energy; `MEL_BANDS` to a frame. */
  readonly energies: Float64Array;
}

/** The one rate that spectra are taken at: what a telephone passes. */
export const MEL_SAMPLE_RATE_HZ = 8000;
/** Bands of a frame. */
export const MEL_BANDS = 26;
/** Time from one frame to the next: 16 ms. */
export const MEL_HOP_SAMPLES = 128;

const WINDOW_SAMPLES = 256;
const LOWEST_HZ = 100;
const HIGHEST_HZ = 3600;

interface Band {
  readonly firstBin: number;
  readonly weights: Float64Array;
}

const BANDS: readonly Band[] = melBands();
/** What share of the energy of white noise each band takes; the shares add up to 1. */
export const WHITE_SHARES: Float64Array = whiteShares();

/** Spectra of 32 ms (Hann) every 16 ms of 8 kHz samples; the last is padded with silence. */
export function melSpectrum(samples: Int16Array): MelSpectrum {
  const frameCount = Math.ceil(samples.length / MEL_HOP_SAMPLES);
  const energies = new Float64Array(frameCount * MEL_BANDS);
  const fft = new FFT(WINDOW_SAMPLES);
  const spectrum: number[] = fft.createComplexArray();
  const windowed = new Float64Array(WINDOW_SAMPLES);
  const hann = Float64Array.from(
    windowed,
    (_, index) => 0.5 - 0.5 * Math.cos((2 * Math.PI * index) / WINDOW_SAMPLES),
  );
  for (let frame = 0; frame < frameCount; frame += 1) {
    const start = frame * MEL_HOP_SAMPLES;
    for (let index = 0; index < WINDOW_SAMPLES; index += 1) {
      windowed[index] = (samples[start + index] ?? 0) * (hann[index] as number);
    }
    fft.realTransform(spectrum, windowed);
    sumBands(spectrum, energies.subarray(frame * MEL_BANDS, (frame + 1) * MEL_BANDS));
  }
  return { frameCount, energies };
}

function sumBands(spectrum: readonly number[], energies: Float64Array): void {
  for (const [index, { firstBin, weights }] of BANDS.entries()) {
    let sum = 0;
    for (let tap = 0; tap < weights.length; tap += 1) {
      const at = 2 * (firstBin + tap);
      const power = (spectrum[at] as number) ** 2 + (spectrum[at + 1] as number) ** 2;
      sum += (weights[tap] as number) * power;
    }
    energies[index] = sum;
  }
}

/** Triangles that overlap by half, evenly spaced in mel (O'Shaughnessy). */
function melBands(): Band[] {
  const lowest = toMel(LOWEST_HZ);
  const step = (toMel(HIGHEST_HZ) - lowest) / (MEL_BANDS + 1);
  const edgeBin = (edge: number): number =>
    (toHz(lowest + edge * step) * WINDOW_SAMPLES) / MEL_SAMPLE_RATE_HZ;
  return Array.from({ length: MEL_BANDS }, (_, band) => {
    const [low, centre, high] = [edgeBin(band), edgeBin(band + 1), edgeBin(band + 2)];
    const firstBin = Math.ceil(low);
    const weights = Float64Array.from({ length: Math.floor(high) - firstBin + 1 }, (_w, tap) => {
      const bin = firstBin + tap;
      return bin < centre ? (bin - low) / (centre - low) : (high - bin) / (high - centre);
    });
    return { firstBin, weights };
  });
}

function whiteShares(): Float64Array {
  const sums = BANDS.map(({ weights }) => weights.reduce((a, b) => a + b, 0));
  const total = sums.reduce((a, b) => a + b, 0);
  return Float64Array.from(sums, (sum) => sum / total);
}

function toMel(hz: number): number {
  return 2595 * Math.log10(1 + hz / 700);
}

function toHz(mel: number): number {
  return 700 * (10 ** (mel / 2595) - 1);
}
