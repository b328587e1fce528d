import { DtmfToneDetector, LiveSpeechDetector } from "../audio/index.ts";
import { after, type Instant } from "../environment/index.ts";
import type { FactSink } from "../timeline/index.ts";

/** A pause at a comma is shorter than this, the end of an answer longer. */
const HEARD_HANGOVER_MS = 700;

const SILENCE = new Int16Array(960);

/** What is listened for, and who is told. */
export interface HeardAudioOptions {
  readonly sampleRateHz: number;
  /** When the first frame is heard. */
  readonly startedAt: Instant;
  readonly record: FactSink;
  readonly hearsTones: boolean;
  readonly onSpeech: ((event: "started" | "stopped", at: Instant) => void) | undefined;
}

/** Listens, as the call goes on, for speech (to steer scenarios) and for telephone keys as tones. */
export class HeardAudio {
  readonly #options: HeardAudioOptions;
  readonly #speech: LiveSpeechDetector | undefined;
  readonly #tones: DtmfToneDetector | undefined;
  /** When the first sample was heard that the tone detector got. */
  #origin: Instant;
  #hasBegun = false;

  constructor(options: HeardAudioOptions) {
    const { sampleRateHz, onSpeech, hearsTones } = options;
    this.#options = options;
    this.#origin = options.startedAt;
    this.#speech =
      onSpeech === undefined
        ? undefined
        : new LiveSpeechDetector({ sampleRateHz, hangoverMs: HEARD_HANGOVER_MS });
    this.#tones = hearsTones ? new DtmfToneDetector({ sampleRateHz }) : undefined;
  }

  /** A frame that is heard from `deadline` on. */
  handleFrame(frame: Int16Array, deadline: Instant): void {
    this.#detectSpeech(frame, deadline);
    this.handleSamples(frame, deadline);
  }

  /** Samples as they come, of any length, the first of them at `at`; only tones are looked for. */
  handleSamples(samples: Int16Array, at: Instant): void {
    const tones = this.#tones;
    if (tones === undefined) return;
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#origin = at;
    }
    tones.handleSamples(samples);
    this.#takeTones(tones);
  }

  /** No more will be heard: a tone that sounds now has ended. */
  end(): void {
    if (this.#tones === undefined) return;
    this.#tones.end();
    this.#takeTones(this.#tones);
  }

  #takeTones(tones: DtmfToneDetector): void {
    for (let digit = tones.takeDigit(); digit !== undefined; digit = tones.takeDigit()) {
      const startedAt = after(this.#origin, this.#msOf(digit.startSample));
      this.#options.record({
        kind: "digit",
        direction: "received",
        method: "in-band",
        at: startedAt,
        digit: digit.digit,
        durationMs: digit.durationMs,
        endedAt: after(startedAt, digit.durationMs),
      });
    }
  }

  /** Samples that did not come. */
  handleSilence(count: number, at: Instant): void {
    if (this.#tones === undefined) return;
    for (let left = count; left > 0; left -= SILENCE.length) {
      this.handleSamples(SILENCE.subarray(0, Math.min(left, SILENCE.length)), at);
    }
  }

  #detectSpeech(frame: Int16Array, deadline: Instant): void {
    const speech = this.#speech;
    if (speech === undefined) return;
    const event = speech.handleFrame(frame);
    if (event === undefined) return;
    const sample = event === "started" ? speech.lastOnsetSample : speech.lastOffsetSample;
    if (sample === undefined) return;
    // The fact's instant is when the detector knew; the estimate is handed on beside it.
    this.#options.record({ kind: "heardSpeech", event, at: deadline });
    this.#options.onSpeech?.(event, after(this.#options.startedAt, this.#msOf(sample)));
  }

  #msOf(samples: number): number {
    return (samples * 1000) / this.#options.sampleRateHz;
  }
}
