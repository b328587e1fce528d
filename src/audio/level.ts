/** What `levelDbov` says of silence: just below one bit of 16. */
export const SILENCE_DBOV = -96;

/**
 * The RMS level in dBov: 0 is a full-scale square wave, so a full-scale sine has −3.01 (RFC 6464,
 * ITU-T G.100.1). At least `SILENCE_DBOV`, also where there are no samples.
 */
export function levelDbov(samples: Int16Array): number {
  let sum = 0;
  for (let index = 0; index < samples.length; index += 1) {
    const sample = samples[index] as number;
    sum += sample * sample;
  }
  return powerDbov(samples.length === 0 ? 0 : sum / samples.length);
}

/** Mean square of 16-bit samples in dBov, at least `SILENCE_DBOV`. */
export function powerDbov(meanSquare: number): number {
  const level = 10 * Math.log10(meanSquare / 32_768 ** 2);
  return Math.max(level, SILENCE_DBOV);
}

/** The mean square of 16-bit samples that has `level` dBov. */
export function meanSquareOf(levelDbovOfSignal: number): number {
  return 32_768 ** 2 * 10 ** (levelDbovOfSignal / 10);
}
