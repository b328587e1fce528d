import type { Instant } from "../environment/index.ts";
import type { AiAudioEvent } from "./ai-session.ts";
import type { InjectionBuffer } from "./injection-buffer.ts";
import { SpeechConverter } from "./speech-converter.ts";

/** Brings the AI's audio to the call's rate, item by item, and queues it for playout. */
export class BotSpeech {
  readonly #buffer: InjectionBuffer;
  readonly #converter: SpeechConverter;
  #responseId: string | undefined;
  #itemId: string | undefined;

  constructor(buffer: InjectionBuffer, rates: { readonly fromHz: number; readonly toHz: number }) {
    this.#buffer = buffer;
    this.#converter = new SpeechConverter(rates);
  }

  handleAudio(event: AiAudioEvent, now: Instant): void {
    if (event.responseId !== this.#responseId || event.itemId !== this.#itemId) {
      this.finish(undefined, now);
      this.#responseId = event.responseId;
      this.#itemId = event.itemId;
    }
    this.#queue(this.#converter.push(event.samples), now);
  }

  /** The present item is complete, if it is one of this response (`undefined`: whatever it is). */
  finish(responseId: string | undefined, now: Instant): void {
    if (responseId !== undefined && responseId !== this.#responseId) return;
    this.#converter.finish((samples) => this.#queue(samples, now));
    this.#responseId = undefined;
    this.#itemId = undefined;
  }

  #queue(samples: Int16Array, now: Instant): void {
    if (this.#responseId === undefined || this.#itemId === undefined) return;
    if (samples.length === 0) return;
    this.#buffer.handleAudio(this.#responseId, this.#itemId, samples, now);
  }
}
