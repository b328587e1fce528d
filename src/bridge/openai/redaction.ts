import type { JsonObject } from "./json-fields.ts";
import { serverEventKind } from "./server-events.ts";

const REDACTED = "[redacted]";
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "authorization",
  "api_key",
  "api-key",
  "apiKey",
  "client_secret",
]);
/** Server keys, ephemeral keys, and what looks like them (also cut short, as servers quote them). */
const KEY_PATTERN = /\b(?:sk|ek)[-_][\w*.-]{4,}/gu;
/** A shorter "key" is a test's; replacing it everywhere would only spoil the text. */
const KEY_LENGTH_MIN = 8;
const DETAIL_LENGTH_MAX = 300;

/** Keeps keys and audio out of whatever is written down. */
export class Redactor {
  readonly #apiKey: string;

  constructor(apiKey: string) {
    this.#apiKey = apiKey;
  }

  /** A text of the provider, without keys, short enough for a fact. */
  detail(text: string): string {
    return this.#withoutKeys(text).slice(0, DETAIL_LENGTH_MAX);
  }

  /** A message as JSON: audio replaced by its size, keys by a word. */
  message(event: JsonObject): string {
    try {
      return this.#json(event);
    } catch {
      // Nested too deeply to be written: such a message is no event of ours either.
      return '{"unwritable":true}';
    }
  }

  #json(event: JsonObject): string {
    const isAudioDelta =
      typeof event["type"] === "string" && serverEventKind(event["type"]) === "audioDelta";
    return JSON.stringify(event, (name, value: unknown) => {
      if (SECRET_FIELDS.has(name)) return REDACTED;
      if (typeof value !== "string") return value;
      const isAudio = name === "audio" || (isAudioDelta && name === "delta");
      return isAudio ? { bytes: base64Bytes(value) } : this.#withoutKeys(value);
    });
  }

  #withoutKeys(text: string): string {
    const known =
      this.#apiKey.length < KEY_LENGTH_MIN ? text : text.replaceAll(this.#apiKey, REDACTED);
    return known.replaceAll(KEY_PATTERN, REDACTED);
  }
}

function base64Bytes(base64: string): number {
  const padding = base64.endsWith("==") ? 2 : Number(base64.endsWith("="));
  return Math.floor((base64.length * 3) / 4) - padding;
}
