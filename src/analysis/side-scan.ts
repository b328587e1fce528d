import {
  levelDbov,
  Resampler,
  SILENCE_DBOV,
  SpeechScanner,
  type SpeechSegment,
} from "../audio/index.ts";
import { Column } from "./column.ts";

/** How loud one side is. Levels in dBov, RMS over the stretches named. */
export interface SideLevels {
  /** While this side speaks; missing where it does not. */
  readonly speechDbov?: number;
  /** The median of 10 ms levels where this side does not speak; missing where it always does. */
  readonly noiseDbov?: number;
  /** The largest sample. */
  readonly peakDbov: number;
  /** Samples at full scale. */
  readonly clippedSamples: number;
  /** The mean of all samples, as a share of full scale. */
  readonly dcOffset: number;
}

/** One side of a recording, heard out. */
export interface SideScan {
  readonly levels: SideLevels;
  readonly segments: readonly SpeechSegment[];
  /** Of `segments`: the detector's own. */
  readonly sampleRateHz: number;
  /** Minimum and maximum of every `BIN_MS`, in turn. */
  readonly extremes: Int16Array;
}

/** How long a bin of `extremes` is. */
export const BIN_MS = 10;
/** Rates at which the detector's frames are whole numbers of samples, and their halves too. */
const DETECTOR_RATES_HZ: ReadonlySet<number> = new Set([8000, 16_000, 24_000, 32_000, 48_000]);
const FULL_SCALE = 32_767;

/**
 * Listens to one side, block by block: speech, levels and the picture of it. Memory grows by 8
 * bytes every 10 ms.
 */
export class SideListener {
  readonly #scanner: SpeechScanner;
  readonly #resampling: Resampling | undefined;
  readonly #detectorHz: number;
  readonly #bin: BinCounter;

  /** @throws UsageError ERR_SAMPLE_RATE_UNSUPPORTED where the rate is no sensible ratio to 8 kHz. */
  constructor(sampleRateHz: number, joinGapMs: number) {
    this.#detectorHz = detectorRate(sampleRateHz);
    this.#scanner = new SpeechScanner(this.#detectorHz, { joinGapMs });
    this.#resampling =
      this.#detectorHz === sampleRateHz
        ? undefined
        : new Resampling(sampleRateHz, this.#detectorHz);
    this.#bin = new BinCounter(sampleRateHz);
  }

  /** Takes the next samples. */
  push(samples: Int16Array): void {
    this.#bin.push(samples);
    this.#scanner.push(this.#resampling?.process(samples) ?? samples);
  }

  /** What was heard, once all was pushed. */
  finish(): SideScan {
    if (this.#resampling !== undefined) this.#scanner.push(this.#resampling.rest());
    const segments = this.#scanner.finish();
    const spans = segments.map(({ startSample, endSample }) => ({
      fromMs: (startSample * 1000) / this.#detectorHz,
      toMs: (endSample * 1000) / this.#detectorHz,
    }));
    return {
      segments,
      sampleRateHz: this.#detectorHz,
      levels: this.#bin.levels(spans),
      extremes: this.#bin.extremes(),
    };
  }
}

function detectorRate(sampleRateHz: number): number {
  if (DETECTOR_RATES_HZ.has(sampleRateHz)) return sampleRateHz;
  return sampleRateHz > 16_000 ? 16_000 : 8000;
}

/** To a lower rate; aligned: the first sample out is that of the first sample in. */
class Resampling {
  readonly #resampler: Resampler;
  readonly #delaySamples: number;
  readonly #delayInput: number;
  #toDrop: number;

  constructor(fromHz: number, toHz: number) {
    this.#resampler = new Resampler({ fromHz, toHz });
    this.#delaySamples = Math.round((this.#resampler.delayMs * toHz) / 1000);
    this.#delayInput = Math.ceil((this.#resampler.delayMs * fromHz) / 1000);
    this.#toDrop = this.#delaySamples;
  }

  process(input: Int16Array): Int16Array {
    const output = new Int16Array(this.#resampler.outputLength(input.length));
    const written = this.#resampler.process(input, output);
    const dropped = Math.min(this.#toDrop, written);
    this.#toDrop -= dropped;
    return output.subarray(dropped, written);
  }

  /** What the delay still holds. */
  rest(): Int16Array {
    return this.process(new Int16Array(this.#delayInput)).subarray(0, this.#delaySamples);
  }
}

/** Energy and extremes of each bin. */
class BinCounter {
  readonly #binSamples: number;
  readonly #energies = new Column(Float32Array);
  readonly #extremes = new Column(Int16Array);
  #count = 0;
  #energy = 0;
  #low = 0;
  #high = 0;
  #sum = 0;
  #samples = 0;
  #peak = 0;
  #clipped = 0;

  constructor(sampleRateHz: number) {
    this.#binSamples = Math.max(1, Math.round((sampleRateHz * BIN_MS) / 1000));
  }

  push(samples: Int16Array): void {
    for (let index = 0; index < samples.length; index += 1) {
      const sample = samples[index] as number;
      this.#energy += sample * sample;
      if (sample < this.#low) this.#low = sample;
      if (sample > this.#high) this.#high = sample;
      this.#sum += sample;
      if (sample >= FULL_SCALE || sample <= -FULL_SCALE) this.#clipped += 1;
      this.#count += 1;
      if (this.#count === this.#binSamples) this.#closeBin();
    }
    this.#samples += samples.length;
  }

  extremes(): Int16Array {
    if (this.#count > 0) this.#closeBin();
    return this.#extremes.values();
  }

  levels(speech: readonly { readonly fromMs: number; readonly toMs: number }[]): SideLevels {
    const energies = this.#energies.values();
    const { loud, others } = split(energies, speech);
    const quiet = others.toSorted();
    const sum = loud.reduce((total, energy) => total + energy, 0);
    return {
      ...(loud.length === 0 ? {} : { speechDbov: dbov(sum / loud.length) }),
      ...(quiet.length === 0 ? {} : { noiseDbov: dbov(quiet[quiet.length >> 1] as number) }),
      peakDbov: this.#peak === 0 ? SILENCE_DBOV : levelDbov(Int16Array.of(this.#peak)),
      clippedSamples: this.#clipped,
      dcOffset: this.#samples === 0 ? 0 : this.#sum / this.#samples / (FULL_SCALE + 1),
    };
  }

  #closeBin(): void {
    this.#energies.add(this.#energy / this.#count);
    this.#extremes.add(this.#low);
    this.#extremes.add(this.#high);
    this.#peak = Math.min(FULL_SCALE, Math.max(this.#peak, this.#high, -this.#low));
    this.#count = 0;
    this.#energy = 0;
    this.#low = 0;
    this.#high = 0;
  }
}

/** The energies of bins whose middle lies in speech, and the others. */
function split(
  energies: Float32Array,
  speech: readonly { readonly fromMs: number; readonly toMs: number }[],
): { readonly loud: Float32Array; readonly others: Float32Array } {
  const loud = new Column(Float32Array);
  const others = new Column(Float32Array);
  let next = 0;
  for (const [bin, energy] of energies.entries()) {
    const atMs = (bin + 0.5) * BIN_MS;
    while (next < speech.length && (speech[next]?.toMs ?? 0) <= atMs) next += 1;
    const isSpeech = (speech[next]?.fromMs ?? Number.POSITIVE_INFINITY) <= atMs;
    (isSpeech ? loud : others).add(energy);
  }
  return { loud: loud.values(), others: others.values() };
}

function dbov(meanSquare: number): number {
  return Math.max(SILENCE_DBOV, 10 * Math.log10(meanSquare / 32_768 ** 2));
}
