/** A vowel-like signal that changes from frame to frame: harmonics of a gliding pitch. */
export function voiceLike(sampleRateHz: number, length: number): Int16Array {
  const samples = new Int16Array(length);
  let phase = 0;
  for (let index = 0; index < length; index += 1) {
    const time = index / sampleRateHz;
    phase += (2 * Math.PI * (120 + 30 * Math.sin(2 * Math.PI * 1.5 * time))) / sampleRateHz;
    let value = 0;
    for (let harmonic = 1; harmonic <= 12; harmonic += 1) {
      value += Math.sin(harmonic * phase) / harmonic;
    }
    samples[index] = 4000 * value * (0.6 + 0.4 * Math.sin(2 * Math.PI * 3 * time));
  }
  return samples;
}
