import type { JsonObject } from "./json-fields.ts";

const REDACTED = "[redacted]";
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  "authorization",
  "api_key",
  "api-key",
  "apiKey",
  "client_secret",
  // Whoever has the handle of a Gemini session may go on with it.
  "handle",
  "newHandle",
]);
/** Server keys, ephemeral keys, and what looks like them (also cut short, as servers quote them). */
const KEY_PATTERN = /\b(?:(?:sk|ek)[-_][\w*.-]{4,}|AIza[\w-]{10,}|auth_tokens\/[\w.-]+)/gu;
/** A shorter "key" is a test's; replacing it everywhere would only spoil the text. */
const KEY_LENGTH_MIN = 8;
const DETAIL_LENGTH_MAX = 300;

/** Where `bytes` of a message's audio belong; called for each audio field, in order. */
export type AudioPlace = (bytes: number) => object;

const NOWHERE: AudioPlace = () => ({});

/** The names of a message's fields that hold audio as base64. */
export type AudioFields = (message: JsonObject) => readonly string[];

/** Keeps keys and audio out of whatever is written down. */
export class Redactor {
  readonly #secrets: readonly string[];
  readonly #audioFields: AudioFields;
  #formsOfFirst = 0;
  #knownForms: readonly string[] = [];

  /** @param secrets keys and tokens as they come to be used; those that are added later count, too. */
  constructor(secrets: readonly string[], audioFields: AudioFields) {
    this.#secrets = secrets;
    this.#audioFields = audioFields;
  }

  /** A text of the provider, without keys, short enough for a fact. */
  detail(text: string): string {
    return this.#withoutKeys(text).slice(0, DETAIL_LENGTH_MAX);
  }

  /** A message as JSON: audio replaced by its size and place, keys by a word. */
  message(message: JsonObject, place: AudioPlace = NOWHERE): string {
    try {
      return this.#json(message, place);
    } catch {
      // Nested too deeply to be written: such a message is no event of ours either.
      return '{"unwritable":true}';
    }
  }

  #json(message: JsonObject, place: AudioPlace): string {
    const audioFields = this.#audioFields(message);
    return JSON.stringify(message, (name, value: unknown) => {
      if (SECRET_FIELDS.has(name)) return REDACTED;
      if (typeof value !== "string") return value;
      if (!audioFields.includes(name)) return this.#withoutKeys(value);
      const bytes = base64Bytes(value);
      return { bytes, ...place(bytes) };
    });
  }

  /** Made anew only when there is another secret: they are asked for with every field. */
  #forms(): readonly string[] {
    if (this.#formsOfFirst !== this.#secrets.length) {
      this.#formsOfFirst = this.#secrets.length;
      const long = this.#secrets.filter((secret) => secret.length >= KEY_LENGTH_MIN);
      this.#knownForms = [...new Set(long.flatMap(formsOf))];
    }
    return this.#knownForms;
  }

  #withoutKeys(text: string): string {
    let known = text;
    for (const form of this.#forms()) known = known.replaceAll(form, REDACTED);
    return known.replaceAll(KEY_PATTERN, REDACTED);
  }
}

/** A secret as it may stand in a text: as it is, in a URL, in base64 of either alphabet. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, "utf8");
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString("base64").replace(/=+$/u, ""),
    bytes.toString("base64url"),
  ];
}

function base64Bytes(base64: string): number {
  const padding = base64.endsWith("==") ? 2 : Number(base64.endsWith("="));
  return Math.floor((base64.length * 3) / 4) - padding;
}
