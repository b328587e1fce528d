import { tone } from "../audio/index.ts";
import type { AudioSource, FrameFormat } from "./audio-source.ts";

/** The ringing tone of most European networks: 425 Hz for 1 s, then 4 s of silence (ITU-T E.180). */
const FREQUENCY_HZ = 425;
const TONE_MS = 1000;
const PERIOD_MS = 5000;
const LEVEL_DBOV = -20;

/** Sends the ringing tone, as a network does before a call is answered. */
export class RingbackSource implements AudioSource {
  #tone: Int16Array = new Int16Array(0);
  #periodSamples = 1;
  #position = 0;

  begin({ sampleRateHz }: FrameFormat): void {
    this.#tone = tone({
      frequencyHz: FREQUENCY_HZ,
      durationMs: TONE_MS,
      sampleRateHz,
      levelDbov: LEVEL_DBOV,
    });
    this.#periodSamples = (sampleRateHz * PERIOD_MS) / 1000;
    this.#position = 0;
  }

  fill(frame: Int16Array): boolean {
    frame.fill(0);
    const rest = this.#tone.subarray(this.#position, this.#position + frame.length);
    frame.set(rest);
    this.#position = (this.#position + frame.length) % this.#periodSamples;
    return rest.length > 0;
  }
}
