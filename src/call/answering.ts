import {
  type AudioSource,
  type MediaSession,
  RingbackSource,
  SILENT_SOURCE,
} from "../media/index.ts";
import type { OfferAnswer } from "../sdp/index.ts";
import type { InboundCall } from "../sip/index.ts";
import type { AnswerPolicy, EarlyMedia } from "./agent-options.ts";
import type { Call } from "./call.ts";

/** What answering one call takes. */
export interface AnsweringParts {
  readonly invite: InboundCall;
  readonly call: Call;
  readonly media: MediaSession;
  readonly negotiator: OfferAnswer;
  readonly policy: Extract<AnswerPolicy, { readonly kind: "answer" }>;
  /** Its AI speaks first. */
  readonly greets: boolean;
}

/**
 * How a bot takes one call: what it sends while it rings, and from when on its AI speaks and
 * listens.
 */
export class Answering {
  readonly #parts: AnsweringParts;

  constructor(parts: AnsweringParts) {
    this.#parts = parts;
    const { negotiator, media, invite } = parts;
    negotiator.onNegotiated = (negotiated) => {
      media.start(negotiated, invite.state === "early");
      this.#greet();
    };
    parts.call.onAnswered = () => this.#greet();
  }

  /** Lets media flow before the call is answered, where the policy says so; its AI is connected. */
  openEarlyMedia(): void {
    const { call, invite, negotiator, policy } = this.#parts;
    if (policy.earlyMedia === undefined || call.hasEnded) return;
    this.#prepareEarlyMedia(policy.earlyMedia);
    invite.openEarlyMedia(negotiator);
  }

  /** Answers; false where the call has ended meanwhile. */
  answer(): boolean {
    const { call, invite, negotiator } = this.#parts;
    if (call.hasEnded) return false;
    invite.answer(negotiator);
    return true;
  }

  /** Asks the AI to speak first, once there are media to speak into and the caller is to hear it. */
  #greet(): void {
    const { call, invite, media, policy, greets } = this.#parts;
    const isTime = invite.state === "established" || policy.earlyMedia === "greeting";
    const speaksFirst = greets || policy.earlyMedia === "greeting";
    if (speaksFirst && isTime && media.isRunning) call.greet();
  }

  /** Until the call is answered, the AI is neither heard nor hears, unless it speaks early. */
  #prepareEarlyMedia(kind: EarlyMedia): void {
    if (kind === "greeting") return;
    const { media, invite } = this.#parts;
    const { source: speech, onIncomingAudio, onIncomingSilence } = media;
    const early: AudioSource = kind === "ringback" ? new RingbackSource() : SILENT_SOURCE;
    const isAnswered = (): boolean => invite.state !== "early";
    media.source = {
      begin: (format) => {
        early.begin?.(format);
        speech.begin?.(format);
      },
      fill: (frame, deadline, leavesAt) =>
        (isAnswered() ? speech : early).fill(frame, deadline, leavesAt),
    };
    if (onIncomingAudio === undefined) return;
    media.onIncomingAudio = (samples, now) => {
      if (isAnswered()) onIncomingAudio(samples, now);
    };
    media.onIncomingSilence = (samples, now) => {
      if (isAnswered()) onIncomingSilence?.(samples, now);
    };
  }
}
