import type { Instant } from "../environment/index.ts";
import type { AudioSource, FrameFormat } from "./audio-source.ts";

/** What a line gives back of what is heard at its end: a hybrid, or a loudspeaker telephone. */
export interface LineEchoSettings {
  /** Of the echo against what is heard: −60 to 6 dB. */
  readonly levelDb: number;
  /** How much later it is sent than it was heard, 0 to 1000 ms. */
  readonly delayMs: number;
}

/**
 * Sends what another source says and, quieter and later, what is heard: the other side gets its own
 * voice back. Exact to the sample on the clock of the frames.
 */
export class LineEcho implements AudioSource {
  readonly #source: AudioSource;
  readonly #settings: LineEchoSettings;
  readonly #gain: number;
  #heard = new Int16Array(0);
  #heardSamples = 0;
  #delaySamples = 0;

  constructor(source: AudioSource, settings: LineEchoSettings) {
    this.#source = source;
    this.#settings = settings;
    this.#gain = 10 ** (settings.levelDb / 20);
  }

  begin(format: FrameFormat): void {
    this.#source.begin?.(format);
    const { sampleRateHz, frameMs } = format;
    this.#delaySamples = Math.round((this.#settings.delayMs * sampleRateHz) / 1000);
    // A change of the packet length begins anew: what was heard until then gives no echo.
    this.#heard = new Int16Array(
      this.#delaySamples + 2 * Math.round((frameMs * sampleRateHz) / 1000),
    );
    this.#heardSamples = 0;
  }

  /** What is heard in the frame whose counterpart was sent last. */
  handleHeard(frame: Int16Array): void {
    const size = this.#heard.length;
    for (const sample of frame) {
      this.#heard[this.#heardSamples % size] = sample;
      this.#heardSamples += 1;
    }
  }

  /** A frame that leaves now holds what was spoken, and heard, up to now. */
  fill(frame: Int16Array, deadline: Instant, leavesAt: Instant): boolean {
    const speaks = this.#source.fill(frame, deadline, leavesAt);
    const first = this.#heardSamples - frame.length - this.#delaySamples;
    const size = this.#heard.length;
    let echoes = false;
    for (let index = Math.max(0, -first); index < frame.length; index += 1) {
      const echo = Math.round((this.#heard[(first + index) % size] as number) * this.#gain);
      echoes ||= echo !== 0;
      frame[index] = Math.max(-32_768, Math.min(32_767, (frame[index] as number) + echo));
    }
    return speaks || echoes;
  }
}
