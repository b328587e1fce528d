import { VoiceActivity } from "./voice-activity.ts";

/** What a sender with discontinuous transmission does with a frame. */
export type Transmission = "speech" | "sid" | "nothing";

/** When the sender falls silent. */
export interface TransmissionSwitchOptions {
  readonly sampleRateHz: number;
  /** How long audio is sent on after the last speech; default 200. */
  readonly hangoverMs?: number;
  /** How often the background is described anew; default 200. */
  readonly sidIntervalMs?: number;
}

/**
 * Decides, for a sender with discontinuous transmission, which frames are sent (`speech`), stand
 * for a comfort noise payload (`sid`), or are not sent (`nothing`). A pause begins with a `sid`.
 * The first `speech` after anything else begins a talkspurt: its packet bears the marker bit.
 */
export class TransmissionSwitch {
  readonly #sampleRateHz: number;
  readonly #activity: VoiceActivity;
  readonly #hangoverSamples: number;
  readonly #sidIntervalSamples: number;
  /** Audio since the last speech; the beginning counts as speech. */
  #quietSamples = 0;
  #sinceSid = 0;

  constructor(options: TransmissionSwitchOptions) {
    this.#sampleRateHz = options.sampleRateHz;
    this.#activity = new VoiceActivity(options);
    this.#hangoverSamples = this.#samples(options.hangoverMs ?? 200);
    this.#sidIntervalSamples = this.#samples(options.sidIntervalMs ?? 200);
  }

  /** Takes the next frame to send, of any length; says what to do with it. */
  handleFrame(frame: Int16Array): Transmission {
    const isSpeech = this.#activity.handleFrame(frame);
    this.#quietSamples = isSpeech ? 0 : this.#quietSamples + frame.length;
    if (this.#quietSamples <= this.#hangoverSamples) {
      this.#sinceSid = this.#sidIntervalSamples;
      return "speech";
    }
    this.#sinceSid += frame.length;
    if (this.#sinceSid < this.#sidIntervalSamples) return "nothing";
    this.#sinceSid = 0;
    return "sid";
  }

  #samples(durationMs: number): number {
    return Math.round((durationMs * this.#sampleRateHz) / 1000);
  }
}
