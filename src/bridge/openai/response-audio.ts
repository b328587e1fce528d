import { AudioBase64Decoder } from "../provider/audio-base64.ts";
import { type JsonObject, textField } from "../provider/json-fields.ts";
import type { WireFormat } from "./wire-format.ts";

interface LiveResponse {
  isCancelled: boolean;
  receivedSamples: number;
}

interface ItemAudio {
  readonly contentIndex: number;
  receivedSamples: number;
}

/** The fields of an audio delta that count. */
export interface AudioDelta {
  readonly responseId: string;
  readonly itemId: string;
  readonly contentIndex: number;
  readonly base64: string;
}

/** Responses that may be live at once: one, by the protocol; the rest is tolerance. */
const LIVE_MAX = 8;
/** Items whose length is remembered for truncation; only the latest are ever truncated. */
const ITEMS_MAX = 256;

/**
 * The audio of responses: which of it counts, how much there was of each item.
 *
 * Deltas of a cancelled response may still arrive until its `response.done`, and that may come
 * after the next `response.created`; so audio is told apart by response id.
 */
export class ResponseAudio {
  readonly #live = new Map<string, LiveResponse>();
  readonly #items = new Map<string, ItemAudio>();
  readonly #decoder: AudioBase64Decoder;
  readonly #samplesPerMs: number;
  readonly #bytesPerSample: number;
  #decodingKey = "";
  #stragglerDeltas = 0;
  #halfSamples = 0;

  constructor(format: WireFormat) {
    this.#samplesPerMs = format.sampleRateHz / 1000;
    this.#bytesPerSample = format.law === undefined ? 2 : 1;
    this.#decoder = new AudioBase64Decoder(format);
  }

  /** Deltas thrown away because their response was cancelled, done or unknown. */
  get stragglerDeltas(): number {
    return this.#stragglerDeltas;
  }

  /** Items that ended within a sample. */
  get halfSamples(): number {
    return this.#halfSamples;
  }

  handleCreated(responseId: string): void {
    this.#live.set(responseId, { isCancelled: false, receivedSamples: 0 });
    trim(this.#live, LIVE_MAX);
  }

  handleDone(responseId: string): void {
    this.#live.delete(responseId);
  }

  isLive(responseId: string): boolean {
    return this.#live.has(responseId);
  }

  /** Responses that have not ended. */
  get live(): readonly string[] {
    return [...this.#live.keys()];
  }

  /** From now on, audio of this response is a straggler. */
  cancel(responseId: string): void {
    const response = this.#live.get(responseId);
    if (response !== undefined) response.isCancelled = true;
  }

  cancelAll(): void {
    for (const response of this.#live.values()) response.isCancelled = true;
  }

  /** The samples complete now; `undefined` for a straggler. */
  handleDelta(delta: AudioDelta): Int16Array | undefined {
    const { responseId, itemId, contentIndex, base64 } = delta;
    const response = this.#live.get(responseId);
    if (response === undefined || response.isCancelled) {
      this.#stragglerDeltas += 1;
      return undefined;
    }
    this.#startDecoding(`${responseId}/${itemId}/${contentIndex}`);
    const samples = this.#decoder.decode(base64);
    response.receivedSamples += samples.length;
    const item = this.#items.get(itemId) ?? { contentIndex, receivedSamples: 0 };
    item.receivedSamples += samples.length;
    this.#items.set(itemId, item);
    trim(this.#items, ITEMS_MAX);
    return samples;
  }

  /** Where a delta that is about to come stands in its response; nowhere, if it is a straggler. */
  place(event: JsonObject, bytes: number): object {
    const responseId = textField(event, "response_id") ?? "";
    const response = this.#live.get(responseId);
    if (response === undefined || response.isCancelled) return {};
    const fromMs = response.receivedSamples / this.#samplesPerMs;
    return { responseId, fromMs, toMs: fromMs + bytes / this.#bytesPerSample / this.#samplesPerMs };
  }

  /** What was received of an item; `undefined` where none was. */
  item(itemId: string): Readonly<ItemAudio> | undefined {
    return this.#items.get(itemId);
  }

  #startDecoding(key: string): void {
    if (this.#decodingKey === key) return;
    this.#decodingKey = key;
    if (this.#decoder.reset()) this.#halfSamples += 1;
  }
}

function trim(map: Map<string, unknown>, limit: number): void {
  for (const oldest of map.keys()) {
    if (map.size <= limit) return;
    map.delete(oldest);
  }
}
