import { meanSquareOf } from "./level.ts";

/** A sine: see `tone`. */
export interface ToneOptions {
  readonly frequencyHz: number;
  readonly durationMs: number;
  readonly sampleRateHz: number;
  /** RMS level; default −20. Above −3.01, a full-scale sine, the tops are clipped. */
  readonly levelDbov?: number;
  /** Raised-cosine fade at each end, against clicks; default 0. */
  readonly fadeMs?: number;
}

/** A sine that starts at phase 0. */
export function tone(options: ToneOptions): Int16Array {
  const { frequencyHz, sampleRateHz, levelDbov = -20, fadeMs = 0 } = options;
  const length = Math.round((options.durationMs * sampleRateHz) / 1000);
  const amplitude = Math.sqrt(2 * meanSquareOf(levelDbov));
  const fadeSamples = (fadeMs * sampleRateHz) / 1000;
  return Int16Array.from({ length }, (_, index) => {
    const edge = Math.min(index, length - 1 - index);
    const gain = edge < fadeSamples ? 0.5 - 0.5 * Math.cos((Math.PI * edge) / fadeSamples) : 1;
    const phase = (2 * Math.PI * frequencyHz * index) / sampleRateHz;
    const value = Math.round(amplitude * gain * Math.sin(phase));
    return Math.max(-32_768, Math.min(32_767, value));
  });
}
