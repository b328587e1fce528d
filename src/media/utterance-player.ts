import { after, type Instant, UsageError } from "../environment/index.ts";
import type { FactSink, UtteranceFact } from "../timeline/index.ts";
import type { AudioSource, FrameFormat } from "./audio-source.ts";

/** Known speech to be sent into a call. */
export interface Utterance {
  readonly utteranceId: string;
  /** Name of the fixture, for the timeline. */
  readonly fixture: string;
  readonly purpose: UtteranceFact["purpose"];
  /** At the call's sample rate. */
  readonly samples: Int16Array;
  /** Annotated first and last speech sample, in ms of `samples`. */
  readonly onsetMs: number;
  readonly offsetMs: number;
  readonly start: UtteranceStart;
}

/** When to speak; decided on the media clock, so that a slow step cannot shift it. */
export type UtteranceStart =
  | { readonly kind: "now" }
  /** With the first frame that leaves then or later. */
  | { readonly kind: "at"; readonly at: Instant }
  /** This long after the other side's present (or else next) speech began, as heard. */
  | { readonly kind: "intoHeardSpeech"; readonly delayMs: number }
  /** This long after the other side fell silent, as heard. */
  | { readonly kind: "afterHeardSpeech"; readonly delayMs: number };

/** Utterances that may wait in line; more is a scenario gone wrong. */
const QUEUE_LIMIT = 64;

/**
 * Plays utterances into a call, one after the other, each started on the frame clock.
 *
 * It is told what the live detector hears and knows nothing of packets.
 */
export class UtterancePlayer implements AudioSource {
  readonly #record: FactSink;
  #frameMs = 20;
  readonly #queue: Utterance[] = [];
  #position = 0;
  #startedAt: Instant | undefined;
  /** When its first and its last speech sample left, by their own frames; known once they have. */
  #onsetAt: Instant | undefined;
  #offsetAt: Instant | undefined;
  #heardOnsetAt: Instant | undefined;
  #heardOffsetAt: Instant | undefined;

  constructor(record: FactSink) {
    this.#record = record;
  }

  begin({ frameMs }: FrameFormat): void {
    this.#frameMs = frameMs;
  }

  /** True while speech is being sent or waits to be. */
  get isBusy(): boolean {
    return this.#queue.length > 0;
  }

  /**
   * Lines up an utterance.
   * @throws UsageError ERR_TOO_MANY_UTTERANCES.
   */
  say(utterance: Utterance): void {
    if (this.#queue.length >= QUEUE_LIMIT) {
      throw new UsageError(
        "ERR_TOO_MANY_UTTERANCES",
        `More than ${QUEUE_LIMIT} utterances wait to be spoken. Let the caller finish before it says more.`,
      );
    }
    this.#queue.push(utterance);
  }

  /** Stops speaking and forgets what waits. */
  silence(now: Instant): void {
    const current = this.#queue[0];
    if (current !== undefined && this.#startedAt !== undefined) this.#end(current, now, true);
    this.#queue.length = 0;
  }

  /** What the live detector heard of the other side. */
  handleHeardSpeech(event: "started" | "stopped", at: Instant): void {
    if (event === "started") {
      this.#heardOnsetAt = at;
      this.#heardOffsetAt = undefined;
    } else {
      this.#heardOnsetAt = undefined;
      this.#heardOffsetAt = at;
    }
  }

  fill(frame: Int16Array, deadline: Instant, leavesAt: Instant): boolean {
    frame.fill(0);
    const utterance = this.#queue[0];
    if (utterance === undefined || !this.#isDue(utterance, deadline)) return false;
    if (this.#startedAt === undefined) this.#begin(utterance, deadline);
    const end = Math.min(this.#position + frame.length, utterance.samples.length);
    frame.set(utterance.samples.subarray(this.#position, end));
    this.#noteEdges(utterance, frame.length, leavesAt);
    this.#position = end;
    if (end === utterance.samples.length) {
      this.#end(utterance, deadline, false);
      this.#queue.shift();
    }
    return true;
  }

  #isDue(utterance: Utterance, deadline: Instant): boolean {
    if (this.#startedAt !== undefined) return true;
    const { start } = utterance;
    if (start.kind === "now") return true;
    if (start.kind === "at") return deadline >= start.at;
    const from = start.kind === "intoHeardSpeech" ? this.#heardOnsetAt : this.#heardOffsetAt;
    return from !== undefined && deadline >= after(from, start.delayMs);
  }

  #begin(utterance: Utterance, deadline: Instant): void {
    this.#startedAt = deadline;
    this.#position = 0;
    this.#onsetAt = undefined;
    this.#offsetAt = undefined;
    this.#record({ kind: "utterance", event: "started", at: deadline, ...this.#spoken(utterance) });
  }

  #end(utterance: Utterance, deadline: Instant, isSilenced: boolean): void {
    const spoken = this.#spoken(utterance);
    const offsetAt = this.#offsetAt ?? spoken.offsetAt;
    const isCutShort = isSilenced && deadline < offsetAt;
    this.#record({
      kind: "utterance",
      event: "ended",
      at: deadline,
      ...spoken,
      onsetAt: this.#onsetAt ?? spoken.onsetAt,
      offsetAt: isCutShort ? deadline : offsetAt,
      ...(isCutShort ? { isCutShort } : {}),
    });
    this.#startedAt = undefined;
  }

  /**
   * A busy host sends late, and one that skips deadlines speaks on in later frames: an edge is where
   * its own frame left.
   */
  #noteEdges({ onsetMs, offsetMs }: Utterance, frameSamples: number, leavesAt: Instant): void {
    const beginMs = (this.#position * this.#frameMs) / frameSamples;
    const endMs = beginMs + this.#frameMs;
    if (onsetMs >= beginMs && onsetMs < endMs) this.#onsetAt = after(leavesAt, onsetMs - endMs);
    if (offsetMs > beginMs && offsetMs <= endMs) this.#offsetAt = after(leavesAt, offsetMs - endMs);
  }

  /**
   * A frame that leaves at its deadline holds what was spoken in the frame before it: a sample
   * cannot leave before it was spoken. So sample 0 stands one frame before the first deadline.
   */
  #spoken(
    utterance: Utterance,
  ): Pick<UtteranceFact, "utteranceId" | "fixture" | "purpose" | "onsetAt" | "offsetAt"> {
    const origin = after(this.#startedAt as Instant, -this.#frameMs);
    return {
      utteranceId: utterance.utteranceId,
      fixture: utterance.fixture,
      purpose: utterance.purpose,
      onsetAt: after(origin, utterance.onsetMs),
      offsetAt: after(origin, utterance.offsetMs),
    };
  }
}
