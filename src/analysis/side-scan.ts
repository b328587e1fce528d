import { Resampler, type SpeechSegment } from "../audio/index.ts";
import { SignalAnalyser, type SignalQuality } from "../quality/index.ts";
import { Column } from "./column.ts";
import { type DetectorPlugIn, type SegmentFinder, segmentFinder } from "./speech-detector.ts";

/** One side of a recording, heard out. */
export interface SideScan {
  readonly signal: SignalQuality;
  readonly segments: readonly SpeechSegment[];
  /** Of `segments`: the detector's own. */
  readonly sampleRateHz: number;
  /** Minimum and maximum of every `BIN_MS`, in turn. */
  readonly extremes: Int16Array;
}

/** How long a bin of `extremes` is. */
export const BIN_MS = 10;
/**
 * Rates that the detector is given. Others come down to them: its frames, and their halves, must be
 * whole numbers of samples, and above 8 kHz it finds nothing of speech, in three times the time.
 */
const DETECTOR_RATES_HZ = [8000, 16_000] as const;

/**
 * Listens to one side, block by block: speech, signal and the picture of it. Memory grows by 4
 * bytes every 10 ms.
 */
export class SideListener {
  readonly #finder: SegmentFinder;
  readonly #resampling: Resampling | undefined;
  readonly #detectorHz: 8000 | 16_000;
  readonly #signal: SignalAnalyser;
  readonly #picture: Picture;

  /** @throws UsageError ERR_SAMPLE_RATE_UNSUPPORTED where the rate is no sensible ratio to 8 kHz. */
  constructor(sampleRateHz: number, joinGapMs: number, detector?: DetectorPlugIn) {
    this.#detectorHz = detectorRate(sampleRateHz);
    this.#finder = segmentFinder({ sampleRateHz: this.#detectorHz, joinGapMs }, detector);
    this.#resampling =
      this.#detectorHz === sampleRateHz
        ? undefined
        : new Resampling(sampleRateHz, this.#detectorHz);
    this.#signal = new SignalAnalyser(sampleRateHz);
    this.#picture = new Picture(sampleRateHz);
  }

  /** Takes the next samples; a promise where a plug-in needs time for them. */
  push(samples: Int16Array): void | Promise<void> {
    this.#signal.process(samples);
    this.#picture.push(samples);
    return this.#finder.push(this.#resampling?.process(samples) ?? samples);
  }

  /** What was heard, once all was pushed. */
  async finish(): Promise<SideScan> {
    if (this.#resampling !== undefined) await this.#finder.push(this.#resampling.rest());
    return {
      segments: await this.#finder.finish(),
      sampleRateHz: this.#detectorHz,
      signal: this.#signal.result(),
      extremes: this.#picture.extremes(),
    };
  }
}

function detectorRate(sampleRateHz: number): 8000 | 16_000 {
  const own = DETECTOR_RATES_HZ.find((rateHz) => rateHz === sampleRateHz);
  return own ?? (sampleRateHz > 16_000 ? 16_000 : 8000);
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

/** The extremes of each bin. */
class Picture {
  readonly #binSamples: number;
  readonly #extremes = new Column(Int16Array);
  #count = 0;
  #low = 0;
  #high = 0;

  constructor(sampleRateHz: number) {
    this.#binSamples = Math.max(1, Math.round((sampleRateHz * BIN_MS) / 1000));
  }

  push(samples: Int16Array): void {
    for (let index = 0; index < samples.length; index += 1) {
      const sample = samples[index] as number;
      if (sample < this.#low) this.#low = sample;
      if (sample > this.#high) this.#high = sample;
      this.#count += 1;
      if (this.#count === this.#binSamples) this.#closeBin();
    }
  }

  extremes(): Int16Array {
    if (this.#count > 0) this.#closeBin();
    return this.#extremes.values();
  }

  #closeBin(): void {
    this.#extremes.add(this.#low);
    this.#extremes.add(this.#high);
    this.#count = 0;
    this.#low = 0;
    this.#high = 0;
  }
}
