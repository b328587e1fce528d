import { BackgroundLevel } from "./background-level.ts";
import { COARSE_FRAME_MS, FLOOR_DBOV_MIN, THRESHOLD_DB } from "./coarse-speech.ts";
import { HighPass } from "./high-pass.ts";
import { powerDbov } from "./level.ts";

/** How a `LiveSpeechDetector` decides. */
export interface LiveSpeechDetectorOptions {
  readonly sampleRateHz: number;
  /** How far above the background a 10 ms frame must be to count as speech; default 6. */
  readonly thresholdDb?: number;
  /** The level below which nothing counts as speech, in dBov; default −55. */
  readonly minimumLevelDbov?: number;
  /**
   * A fixed background in dBov, instead of one that is learnt: the threshold is then
   * `backgroundDbov + thresholdDb`, or `minimumLevelDbov` if that is higher.
   */
  readonly backgroundDbov?: number;
  /** How long speech must last to be reported as started; default 60. */
  readonly minSpeechMs?: number;
  /** How long it must have been quiet for speech to be reported as stopped; default 300. */
  readonly hangoverMs?: number;
}

/** A change that `LiveSpeechDetector` reports. */
export type SpeechChange = "started" | "stopped";

const HIGH_PASS_HZ = 150;
/** A dip this short inside a beginning does not make it begin anew. */
const ONSET_DIP_FRAMES = 2;
/** What goes on for so long, and evenly, becomes background, however it began. */
const STEADY_FRAMES_MAX = 1000;
/** In the first second, what has been there from its beginning is background at once. */
const FIRST_FRAMES = 100;

/**
 * Tells live when somebody starts and stops talking, by 10 ms levels against the background.
 *
 * It knows no clock but the audio itself: the same samples give the same changes at the same
 * positions, however they are cut into frames. It takes `minSpeechMs` to notice a start; measure
 * with `detectSpeech` instead. The background is learnt from the last second, and is not raised
 * while speech goes on, unless that has lasted for ten seconds and become as even as no speech is.
 */
export class LiveSpeechDetector {
  readonly #thresholdDb: number;
  readonly #minimumLevelDbov: number;
  readonly #isAdaptive: boolean;
  readonly #minSpeechFrames: number;
  readonly #hangoverFrames: number;
  readonly #frameSamples: number;
  readonly #highPass: HighPass;
  readonly #background: BackgroundLevel = new BackgroundLevel();
  #floorDbov: number;
  #energy = 0;
  #filled = 0;
  /** Frames seen; the audio time of the detector. */
  #frames = 0;
  #candidateFrame: number | undefined;
  #lastLoudFrame = 0;
  #isSpeaking = false;
  #lastOnsetSample: number | undefined;
  #lastOffsetSample: number | undefined;

  constructor(options: LiveSpeechDetectorOptions) {
    this.#thresholdDb = options.thresholdDb ?? THRESHOLD_DB;
    this.#minimumLevelDbov = options.minimumLevelDbov ?? -55;
    this.#isAdaptive = options.backgroundDbov === undefined;
    this.#floorDbov = options.backgroundDbov ?? FLOOR_DBOV_MIN;
    this.#minSpeechFrames = Math.max(1, Math.ceil((options.minSpeechMs ?? 60) / COARSE_FRAME_MS));
    this.#hangoverFrames = Math.max(1, Math.ceil((options.hangoverMs ?? 300) / COARSE_FRAME_MS));
    this.#frameSamples = Math.round((options.sampleRateHz * COARSE_FRAME_MS) / 1000);
    this.#highPass = new HighPass(HIGH_PASS_HZ, options.sampleRateHz);
  }

  /** Whether somebody is talking, as far as has been reported. */
  get isSpeaking(): boolean {
    return this.#isSpeaking;
  }

  /** Where the last reported speech began, in samples since the first; to 10 ms. */
  get lastOnsetSample(): number | undefined {
    return this.#lastOnsetSample;
  }

  /** Where the last finished speech ended (exclusive), in samples since the first; to 10 ms. */
  get lastOffsetSample(): number | undefined {
    return this.#lastOffsetSample;
  }

  /**
   * Takes the next samples, of any number. Returns the change that they brought; if a very long
   * frame brings several, the last one (the positions tell the rest).
   */
  handleFrame(frame: Int16Array): SpeechChange | undefined {
    let change: SpeechChange | undefined;
    for (let index = 0; index < frame.length; index += 1) {
      const sample = this.#highPass.filter(frame[index] as number);
      this.#energy += sample * sample;
      this.#filled += 1;
      if (this.#filled < this.#frameSamples) continue;
      change = this.#handleLevel(powerDbov(this.#energy / this.#frameSamples)) ?? change;
      this.#energy = 0;
      this.#filled = 0;
    }
    return change;
  }

  /** One step of 10 ms. */
  #handleLevel(levelDbov: number): SpeechChange | undefined {
    const threshold = Math.max(this.#floorDbov + this.#thresholdDb, this.#minimumLevelDbov);
    const isLoud = levelDbov > threshold;
    const frame = this.#frames;
    this.#frames += 1;
    if (this.#isAdaptive) this.#adapt(levelDbov);
    if (this.#isSpeaking) return this.#awaitStop(frame, isLoud);
    return this.#awaitStart(frame, isLoud);
  }

  #awaitStart(frame: number, isLoud: boolean): SpeechChange | undefined {
    if (!isLoud) {
      if (frame - this.#lastLoudFrame > ONSET_DIP_FRAMES) this.#candidateFrame = undefined;
      return undefined;
    }
    this.#lastLoudFrame = frame;
    this.#candidateFrame ??= frame;
    if (frame + 1 - this.#candidateFrame < this.#minSpeechFrames) return undefined;
    this.#isSpeaking = true;
    this.#lastOnsetSample = this.#candidateFrame * this.#frameSamples;
    return "started";
  }

  #awaitStop(frame: number, isLoud: boolean): SpeechChange | undefined {
    if (isLoud) this.#lastLoudFrame = frame;
    if (frame - this.#lastLoudFrame < this.#hangoverFrames) return undefined;
    this.#isSpeaking = false;
    this.#candidateFrame = undefined;
    this.#lastOffsetSample = (this.#lastLoudFrame + 1) * this.#frameSamples;
    return "stopped";
  }

  #adapt(levelDbov: number): void {
    this.#background.add(levelDbov);
    const heard = Math.max(this.#background.dbov ?? FLOOR_DBOV_MIN, FLOOR_DBOV_MIN);
    if (heard < this.#floorDbov || this.#mayRise()) this.#floorDbov = heard;
  }

  /** Not while there is speech, or what may turn out to be; but noise from the first is noise. */
  #mayRise(): boolean {
    if (this.#candidateFrame === undefined) return true;
    if (!this.#isSpeaking && this.#frames <= FIRST_FRAMES) return true;
    const isLong = this.#frames - this.#candidateFrame > STEADY_FRAMES_MAX;
    return isLong && this.#background.isSteady;
  }
}
