import { powerDbov, SILENCE_DBOV } from "../audio/index.ts";
import { ActiveSpeechLevel } from "./active-speech-level.ts";
import { BandwidthAnalyser, type SpeechBandwidth } from "./bandwidth.ts";
import { ClickDetector, type Clicks } from "./clicks.ts";
import { type Clipping, ClippingDetector } from "./clipping.ts";
import { GapDetector, type Gaps } from "./gaps.ts";
import { LevelDistribution } from "./level-distribution.ts";

/** What a channel sounded like. Levels in dBov: 0 is a full-scale square wave. */
export interface SignalQuality {
  readonly samples: number;
  /** Active speech level, ITU-T P.56 method B; `SILENCE_DBOV` where nothing was heard. */
  readonly speechDbov: number;
  /** Share of the time that speech is there, 0–1. */
  readonly activityFactor: number;
  /** What the sound falls below for a tenth of the time. */
  readonly noiseFloorDbov: number;
  /** Speech over noise; missing where the pauses are digital silence. */
  readonly snrDb?: number;
  readonly peakDbov: number;
  /** Mean of the samples as a share of full scale, signed. */
  readonly dcOffset: number;
  readonly clipping: Clipping;
  readonly gaps: Gaps;
  readonly clicks: Clicks;
  /** Missing where too little was heard to tell. */
  readonly bandwidth?: SpeechBandwidth;
}

/**
 * Measures what can be told of one channel without knowing what it should sound like. It takes the
 * samples block by block and keeps a few kilobytes, however long the recording.
 */
export class SignalAnalyser {
  readonly #level: ActiveSpeechLevel;
  readonly #distribution: LevelDistribution;
  readonly #clipping: ClippingDetector;
  readonly #gaps: GapDetector;
  readonly #clicks: ClickDetector;
  readonly #bandwidth: BandwidthAnalyser;
  #samples = 0;
  #sum = 0;
  #peak = 0;

  constructor(sampleRateHz: number) {
    this.#level = new ActiveSpeechLevel(sampleRateHz);
    this.#distribution = new LevelDistribution(sampleRateHz);
    this.#clipping = new ClippingDetector(sampleRateHz);
    this.#gaps = new GapDetector(sampleRateHz);
    this.#clicks = new ClickDetector(sampleRateHz);
    this.#bandwidth = new BandwidthAnalyser(sampleRateHz);
  }

  /** The next samples; any blocks give the same figures. */
  process(samples: Int16Array): void {
    this.#samples += samples.length;
    let sum = 0;
    let peak = this.#peak;
    for (let index = 0; index < samples.length; index += 1) {
      const sample = samples[index] as number;
      sum += sample;
      if (sample > peak) peak = sample;
      else if (-sample > peak) peak = -sample;
    }
    this.#sum += sum;
    this.#peak = peak;
    this.#level.process(samples);
    this.#distribution.process(samples);
    this.#clipping.process(samples);
    this.#gaps.process(samples);
    this.#clicks.process(samples);
    this.#bandwidth.process(samples);
  }

  /** The figures of all samples so far. */
  result(): SignalQuality {
    const { activeDbov, activityFactor } = this.#level.result();
    const noiseFloorDbov = this.#distribution.noiseFloorDbov();
    const bandwidth = this.#bandwidth.result();
    const hasNoise = noiseFloorDbov > SILENCE_DBOV && activeDbov > SILENCE_DBOV;
    return {
      samples: this.#samples,
      speechDbov: activeDbov,
      activityFactor,
      noiseFloorDbov,
      ...(hasNoise ? { snrDb: activeDbov - noiseFloorDbov } : {}),
      peakDbov: powerDbov(this.#peak ** 2),
      dcOffset: this.#samples === 0 ? 0 : this.#sum / this.#samples / 32_768,
      clipping: this.#clipping.result(),
      gaps: this.#gaps.result(activeDbov),
      clicks: this.#clicks.result(),
      ...(bandwidth === undefined ? {} : { bandwidth }),
    };
  }
}

/** The figures of a whole channel at once. */
export function analyseSignal(samples: Int16Array, sampleRateHz: number): SignalQuality {
  const analyser = new SignalAnalyser(sampleRateHz);
  analyser.process(samples);
  return analyser.result();
}
