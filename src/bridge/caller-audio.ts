import { Resampler } from "../audio/index.ts";
import { elapsedMs, type Instant } from "../environment/index.ts";
import type { FactSink } from "../timeline/index.ts";
import type { AiSession } from "./ai-session.ts";

const CLOCK_FACT_INTERVAL_MS = 1000;
/** Silence is put in by pieces of this length. */
const SILENCE_PIECE_MS = 20;

/**
 * Brings the caller's audio to the AI's rate and hands it over at once.
 *
 * The AI's claims about speech count the audio appended; the `aiInputClock` facts say where that
 * count stands on our clock. The converter delays the content by 3 ms (8 to 24 kHz).
 */
export class CallerAudio {
  readonly #session: AiSession;
  readonly #record: FactSink;
  readonly #callSampleRateHz: number;
  readonly #resampler: Resampler;
  readonly #silence: Int16Array;
  #output = new Int16Array(0);
  #filledSamples = 0;
  #factAt: Instant | undefined;
  #appendedMs = 0;

  constructor(options: {
    readonly session: AiSession;
    readonly record: FactSink;
    readonly callSampleRateHz: number;
  }) {
    const { session, record, callSampleRateHz } = options;
    this.#session = session;
    this.#record = record;
    this.#callSampleRateHz = callSampleRateHz;
    this.#silence = new Int16Array((callSampleRateHz * SILENCE_PIECE_MS) / 1000);
    this.#resampler = new Resampler({
      fromHz: callSampleRateHz,
      toHz: session.inputSampleRateHz,
      profile: "lowDelay",
    });
  }

  handleAudio(samples: Int16Array, now: Instant): void {
    this.#append(samples);
    this.#noteClock(now);
  }

  /** Fills a gap: a missing packet must neither shift the AI's time nor keep its turn open. */
  handleSilence(sampleCount: number, now: Instant): void {
    let remaining = sampleCount;
    while (remaining > 0) {
      const piece = this.#silence.subarray(0, Math.min(remaining, this.#silence.length));
      this.#append(piece);
      remaining -= piece.length;
    }
    this.#filledSamples += sampleCount;
    this.#noteClock(now);
  }

  #append(samples: Int16Array): void {
    const room = this.#resampler.outputLength(samples.length);
    if (room > this.#output.length) this.#output = new Int16Array(room * 2);
    const written = this.#resampler.process(samples, this.#output);
    this.#session.appendAudio(this.#output.subarray(0, written));
  }

  #noteClock(now: Instant): void {
    const appendedMs = this.#session.sentAudioMs;
    // Only where a message has just left: between two, the count stands still and the clock does not.
    if (appendedMs === undefined || appendedMs === this.#appendedMs) return;
    this.#appendedMs = appendedMs;
    if (this.#factAt !== undefined && elapsedMs(this.#factAt, now) < CLOCK_FACT_INTERVAL_MS) return;
    this.#factAt = now;
    const filledMs = (this.#filledSamples * 1000) / this.#callSampleRateHz;
    this.#record({ kind: "aiInputClock", at: now, appendedMs, filledMs });
  }
}
