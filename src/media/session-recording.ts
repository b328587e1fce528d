import { elapsedMs, type Instant } from "../environment/index.ts";
import type { RecordedAudio } from "../measure/index.ts";
import type { Party } from "../timeline/index.ts";
import { Recording } from "./recording.ts";

/**
 * Lays one session's audio out in its stereo recording, as `RecordedAudio` says for each party.
 *
 * Sample 0 stands one frame before the first deadline. What the caller sent is placed before its
 * departure (a sample cannot leave before it was spoken); what is heard, and what a bot sends,
 * begins at the deadline. What a bridged bot gets begins at its arrival: its ear is the AI, which
 * no jitter buffer delays.
 */
export class SessionRecording {
  readonly #recording: Recording;
  readonly #party: Party;
  readonly #isBridged: boolean;
  /** Where the next frame that is sent belongs. */
  #position = 0;
  /** Where the next received sample of a bridged bot belongs. */
  #ingressPosition: number | undefined;

  constructor(options: {
    readonly party: Party;
    readonly isBridged: boolean;
    readonly startedAt: Instant;
    readonly sampleRateHz: number;
  }) {
    this.#party = options.party;
    this.#isBridged = options.isBridged;
    this.#recording = new Recording(options.startedAt, options.sampleRateHz);
  }

  /** One tick's frames: what left and, unless an AI listens instead, what was heard. */
  addTick(sent: Int16Array, heard: Int16Array | undefined): void {
    const position = this.#position;
    const next = position + sent.length;
    this.#position = next;
    if (this.#party === "caller") {
      this.#recording.writeLeft(position, sent);
      if (heard !== undefined) this.#recording.writeRight(next, heard);
      return;
    }
    this.#recording.writeRight(next, sent);
    if (!this.#isBridged && heard !== undefined) this.#recording.writeLeft(next, heard);
  }

  /** What a bridge got: the first packet stands at its arrival, the rest behind it without a gap. */
  addIngress(samples: Int16Array, now: Instant): void {
    const position = this.#ingressPositionAt(now);
    this.#recording.writeLeft(position, samples);
    this.#ingressPosition = position + samples.length;
  }

  /** Silence in place of packets that did not come. */
  skipIngress(sampleCount: number, now: Instant): void {
    this.#ingressPosition = this.#ingressPositionAt(now) + sampleCount;
  }

  /** A copy of what is there now. */
  audio(): RecordedAudio {
    const { startedAt, sampleRateHz } = this.#recording;
    return { startedAt, sampleRateHz, ...this.#recording.snapshot() };
  }

  #ingressPositionAt(now: Instant): number {
    const { startedAt, sampleRateHz } = this.#recording;
    return (
      this.#ingressPosition ??
      Math.max(0, Math.round((elapsedMs(startedAt, now) * sampleRateHz) / 1000))
    );
  }
}
