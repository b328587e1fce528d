import FFT from "fft.js";

/**
 * By how many samples `degraded` must be made later to lie on `reference`, from the correlation of
 * their envelopes; 0 where it would be more than half of the reference.
 */
export function envelopeLag(reference: Float64Array, degraded: Float64Array): number {
  const lag = bestLag(envelope(reference), envelope(degraded));
  return Math.abs(lag) > reference.length / 2 ? 0 : lag;
}

/** `sound` made later by `lag` samples of silence, or robbed of its first −lag samples. */
export function shifted(sound: Float64Array, lag: number): Float64Array {
  if (lag <= 0) return sound.subarray(-lag);
  const output = new Float64Array(sound.length + lag);
  output.set(sound, lag);
  return output;
}

/**
 * What ViSQOL calls the upper envelope. Its Hilbert transform loses the imaginary part, so that what
 * is left is the rectified signal without its mean, less two spectral lines; their conformance values
 * rest on that.
 */
function envelope(sound: Float64Array): Float64Array {
  const mean = sound.reduce((sum, each) => sum + each, 0) / sound.length;
  const size = fftSize(sound.length);
  let zero = 0;
  let nyquist = 0;
  for (let index = 0; index < sound.length; index += 1) {
    const centred = (sound[index] as number) - mean;
    zero += centred;
    nyquist += index % 2 === 0 ? centred : -centred;
  }
  const share = (size === sound.length ? 1 : 2) / size;
  return sound.map((each, index) => {
    const line = share * nyquist * (index % 2 === 0 ? 1 : -1);
    return Math.abs(2 * (each - mean) - zero / size - line) + mean;
  });
}

/** The lag of the largest correlation; of equal ones the smallest. */
function bestLag(one: Float64Array, other: Float64Array): number {
  const longer = Math.max(one.length, other.length);
  const size = fftSize(2 * longer - 1);
  const fft = new FFT(size);
  const [first, second] = [one, other].map((sound) => {
    const padded = new Float64Array(size);
    padded.set(sound);
    const spectrum: number[] = fft.createComplexArray();
    fft.realTransform(spectrum, padded);
    fft.completeSpectrum(spectrum);
    return spectrum;
  }) as [number[], number[]];
  for (let index = 0; index < first.length; index += 2) {
    const [a, b] = [first[index] as number, first[index + 1] as number];
    const [c, d] = [second[index] as number, second[index + 1] as number];
    first[index] = a * c + b * d;
    first[index + 1] = b * c - a * d;
  }
  const correlation: number[] = fft.createComplexArray();
  fft.inverseTransform(correlation, first);
  let best = -Infinity;
  let lag = 0;
  for (let at = 1 - longer; at < longer; at += 1) {
    const value = correlation[2 * ((at + size) % size)] as number;
    if (value > best) [best, lag] = [value, at];
  }
  return lag;
}

function fftSize(length: number): number {
  return 2 ** Math.max(5, Math.ceil(Math.log2(length)));
}
