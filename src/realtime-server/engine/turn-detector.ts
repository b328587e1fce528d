/** How a turn is found in audio. */
export interface TurnDetectorOptions {
  readonly sampleRateHz: number;
  /** 0 to 1; 0.5 means 12 dB above the noise floor. */
  readonly threshold: number;
  /** Speech must last this long before it counts. */
  readonly minSpeechMs: number;
  /** Silence must last this long to end a turn. */
  readonly silenceMs: number;
}

/** An edge of a turn, on audio time: samples since the detector was made. */
export interface TurnEdge {
  /** `paused`: half of the silence that ends a turn has passed; more speech may still come. */
  readonly kind: "started" | "paused" | "stopped";
  /** How far the detector had listened. */
  readonly atSample: number;
  /** First sample of the speech. */
  readonly onsetSample: number;
  /** End (exclusive) of the last frame with speech so far. */
  readonly speechEndSample: number;
}

const FRAME_MS = 10;
/** Fewer loud frames than this are a click. */
const LOUD_FRAMES_MIN = 3;
/** Speech at this distance above the floor reaches threshold 1. */
const FULL_SCALE_DB = 24;
/** The floor is never taken as lower than this: µ-law idle noise and dither lie below. */
const FLOOR_MIN_DBOV = -62;
const FLOOR_START_DBOV = -52;
/** The floor follows quieter frames at once, louder ones slowly; slower while there is speech. */
const FLOOR_FALL_PER_FRAME = 0.25;
const FLOOR_RISE_DB_PER_FRAME = 0.03;
const FLOOR_RISE_IN_SPEECH_DB_PER_FRAME = 0.01;
/** A frame without a sample in it; keeps the logarithm finite. */
const POWER_MIN = 1e-10;
const NO_EDGES: readonly TurnEdge[] = [];

/**
 * Finds where somebody starts and stops to speak, by energy over an adaptive floor, on the time of
 * the audio itself: how fast audio arrives does not matter. Costs a few µs per 20 ms.
 *
 * Speech counts from its first loud frame once `minSpeechMs` of it were heard without a pause of
 * `silenceMs`; it ends with the first pause of `silenceMs`. It does not know what is said.
 */
export class TurnDetector {
  /** What is not louder than this, in dBov, is not the caller's but the bot's own voice. */
  echoLimitDbov: number | undefined;
  readonly #options: TurnDetectorOptions;
  readonly #frameSamples: number;
  readonly #silenceSamples: number;
  readonly #minSpeechSamples: number;
  #samples = 0;
  #frameFill = 0;
  #frameEnergy = 0;
  #floorDbov = FLOOR_START_DBOV;
  /** Set while there is speech, counted yet or not. */
  #onsetSample: number | undefined;
  #speechEndSample = 0;
  #loudFrames = 0;
  #isSpeaking = false;
  #hasPaused = false;

  constructor(options: TurnDetectorOptions) {
    this.#options = options;
    this.#frameSamples = (options.sampleRateHz * FRAME_MS) / 1000;
    this.#silenceSamples = Math.round((options.silenceMs * options.sampleRateHz) / 1000);
    this.#minSpeechSamples = Math.round((options.minSpeechMs * options.sampleRateHz) / 1000);
  }

  /** Whether a turn has started and not yet stopped. */
  get isSpeaking(): boolean {
    return this.#isSpeaking;
  }

  /** First sample that a turn starting now or under way would need. */
  get neededFromSample(): number {
    return this.#onsetSample ?? this.#samples;
  }

  /** End (exclusive) of the last frame with speech so far; 0 before the first. */
  get speechEndSample(): number {
    return this.#speechEndSample;
  }

  /** Listens on; edges come in order, and there are rarely any. */
  handleSamples(samples: Int16Array): readonly TurnEdge[] {
    let edges = NO_EDGES;
    let index = 0;
    while (index < samples.length) {
      const end = Math.min(samples.length, index + this.#frameSamples - this.#frameFill);
      let energy = 0;
      for (let at = index; at < end; at += 1) {
        const sample = samples[at] as number;
        energy += sample * sample;
      }
      this.#frameEnergy += energy;
      this.#frameFill += end - index;
      this.#samples += end - index;
      index = end;
      if (this.#frameFill < this.#frameSamples) break;
      const edge = this.#handleFrame();
      if (edge !== undefined) edges = [...edges, edge];
    }
    return edges;
  }

  /** Forgets speech under way, as if there had been none. */
  reset(): void {
    this.#onsetSample = undefined;
    this.#loudFrames = 0;
    this.#isSpeaking = false;
    this.#hasPaused = false;
  }

  #handleFrame(): TurnEdge | undefined {
    const power = this.#frameEnergy / (this.#frameSamples * 32_768 * 32_768);
    this.#frameFill = 0;
    this.#frameEnergy = 0;
    const isLoud = this.#isLoud(10 * Math.log10(power + POWER_MIN));
    if (isLoud) {
      this.#onsetSample ??= this.#samples - this.#frameSamples;
      this.#speechEndSample = this.#samples;
      this.#loudFrames += 1;
      this.#hasPaused = false;
    }
    if (this.#onsetSample === undefined) return undefined;
    if (isLoud) return this.#startIfLongEnough(this.#onsetSample);
    const silentSamples = this.#samples - this.#speechEndSample;
    if (silentSamples >= this.#silenceSamples) return this.#stop(this.#onsetSample);
    return this.#pause(this.#onsetSample, silentSamples);
  }

  #startIfLongEnough(onsetSample: number): TurnEdge | undefined {
    if (this.#isSpeaking || this.#loudFrames < LOUD_FRAMES_MIN) return undefined;
    if (this.#speechEndSample - onsetSample < this.#minSpeechSamples) return undefined;
    this.#isSpeaking = true;
    return this.#edge("started", onsetSample);
  }

  #pause(onsetSample: number, silentSamples: number): TurnEdge | undefined {
    if (!this.#isSpeaking || this.#hasPaused) return undefined;
    // What belongs to the speech must all have been heard: its margin, too.
    const marginSamples = (SPEECH_MARGIN_MS * this.#options.sampleRateHz) / 1000;
    if (silentSamples < Math.max(marginSamples, this.#silenceSamples / 2)) return undefined;
    this.#hasPaused = true;
    return this.#edge("paused", onsetSample);
  }

  #stop(onsetSample: number): TurnEdge | undefined {
    const wasSpeaking = this.#isSpeaking;
    this.reset();
    return wasSpeaking ? this.#edge("stopped", onsetSample) : undefined;
  }

  #edge(kind: TurnEdge["kind"], onsetSample: number): TurnEdge {
    const speechEndSample = this.#speechEndSample;
    return { kind, atSample: this.#samples, onsetSample, speechEndSample };
  }

  #isLoud(levelDbov: number): boolean {
    const aboveFloorDb = levelDbov - this.#floorDbov;
    const isEcho = this.echoLimitDbov !== undefined && levelDbov <= this.echoLimitDbov;
    const isLoud = !isEcho && aboveFloorDb >= this.#options.threshold * FULL_SCALE_DB;
    if (aboveFloorDb < 0) this.#floorDbov += aboveFloorDb * FLOOR_FALL_PER_FRAME;
    else this.#floorDbov += isLoud ? FLOOR_RISE_IN_SPEECH_DB_PER_FRAME : FLOOR_RISE_DB_PER_FRAME;
    this.#floorDbov = Math.max(FLOOR_MIN_DBOV, this.#floorDbov);
    return isLoud;
  }
}

/** The samples from the first loud frame to the last, with a margin; `undefined`: all is silence. */
export function speechSpan(
  samples: Int16Array,
  sampleRateHz: number,
): { readonly from: number; readonly to: number } | undefined {
  const endless = { silenceMs: Number.MAX_SAFE_INTEGER, minSpeechMs: 0, threshold: 0.5 };
  const detector = new TurnDetector({ ...endless, sampleRateHz });
  const [started] = detector.handleSamples(samples);
  if (started === undefined) return undefined;
  const marginSamples = (SPEECH_MARGIN_MS * sampleRateHz) / 1000;
  return {
    from: Math.max(0, started.onsetSample - marginSamples),
    to: Math.min(samples.length, detector.speechEndSample + marginSamples),
  };
}

/** Soft beginnings and ends lie below the threshold. */
export const SPEECH_MARGIN_MS = 50;
