import type { JsonObject } from "../provider/json-fields.ts";
import type { OpenAiAudioFormat } from "./wire-format.ts";

/** Who speaks OpenAI's protocol, each a little differently. */
export type OpenAiDialectName = "openai" | "azure-openai" | "azure-voice-live" | "xai";

/** What we set of a session; each dialect has it in another place. */
export type SessionSetting =
  | "modalities"
  | "instructions"
  | "voice"
  | "inputFormat"
  | "inputRate"
  | "outputFormat"
  | "transcription"
  | "turnDetection"
  | "tools"
  | "toolChoice";

/** One row: everything in which a dialect differs from the others, the names of events aside. */
export interface OpenAiDialect {
  readonly name: OpenAiDialectName;
  /** Shown where a URL cannot work. */
  readonly exampleUrl: string;
  /** Added to the URL where it does not say otherwise; the model always is. */
  readonly query: Readonly<Record<string, string>>;
  /** The header of a long-lived key. Tokens always go as Bearer. */
  readonly keyHeader: "Authorization" | "api-key";
  /** What every `session.update` has beside the settings. */
  readonly fixed: JsonObject;
  readonly modalities: readonly string[];
  /** Where each setting stands in the session; a setting without a place is not sent. */
  readonly places: Readonly<Partial<Record<SessionSetting, string>>>;
  /** Formats by name, as the beta has them; `undefined`: as objects with a type. */
  readonly formatNames: Readonly<Record<OpenAiAudioFormat, string>> | undefined;
  /** Other names for ways to detect turns. */
  readonly turnDetectionNames: Readonly<Record<string, string>>;
  /** Fields of turn detection that the dialect does not know, and strict servers refuse. */
  readonly unknownTurnFields: readonly string[];
  /** What written content of the model's is called. */
  readonly assistantText: "output_text" | "text";
  readonly voice: (name: string) => unknown;
}

/** The GA session (§1.3). */
const GA_PLACES = {
  modalities: "output_modalities",
  instructions: "instructions",
  voice: "audio.output.voice",
  inputFormat: "audio.input.format",
  outputFormat: "audio.output.format",
  transcription: "audio.input.transcription",
  turnDetection: "audio.input.turn_detection",
  tools: "tools",
  toolChoice: "tool_choice",
} as const;

/** The beta's flat session (§1.12), with what Azure added to it (§1.16). */
const FLAT_PLACES = {
  modalities: "modalities",
  instructions: "instructions",
  voice: "voice",
  inputFormat: "input_audio_format",
  inputRate: "input_audio_sampling_rate",
  outputFormat: "output_audio_format",
  transcription: "input_audio_transcription",
  turnDetection: "turn_detection",
  tools: "tools",
  toolChoice: "tool_choice",
} as const;

const asItIs = (name: string): unknown => name;

const OPENAI: OpenAiDialect = {
  name: "openai",
  exampleUrl: "wss://api.openai.com/v1/realtime",
  query: {},
  keyHeader: "Authorization",
  fixed: { type: "realtime" },
  modalities: ["audio"],
  places: GA_PLACES,
  formatNames: undefined,
  turnDetectionNames: {},
  unknownTurnFields: [],
  assistantText: "output_text",
  voice: asItIs,
};

/**
 * The dialects, after the protocol study (§1.16, §3). What they differ in is here and nowhere else;
 * how events are named is in server-events.ts, which reads all of them.
 */
export const DIALECTS: Readonly<Record<OpenAiDialectName, OpenAiDialect>> = {
  openai: OPENAI,
  // The same protocol under another address; the model is the deployment's name.
  "azure-openai": {
    ...OPENAI,
    name: "azure-openai",
    exampleUrl: "wss://RESOURCE.openai.azure.com/openai/v1/realtime",
    keyHeader: "api-key",
  },
  "azure-voice-live": {
    ...OPENAI,
    name: "azure-voice-live",
    exampleUrl: "wss://RESOURCE.services.ai.azure.com/voice-live/realtime",
    query: { "api-version": "2026-04-10" },
    keyHeader: "api-key",
    fixed: {},
    modalities: ["text", "audio"],
    places: FLAT_PLACES,
    formatNames: { pcm: "pcm16", pcmu: "g711_ulaw", pcma: "g711_alaw" },
    turnDetectionNames: { semantic_vad: "azure_semantic_vad" },
    unknownTurnFields: ["eagerness", "idle_timeout_ms"],
    assistantText: "text",
    // Azure's own voices have their locale in the name; those of OpenAI are single words.
    voice: (name) => ({ type: name.includes("-") ? "azure-standard" : "openai", name }),
  },
  xai: {
    ...OPENAI,
    name: "xai",
    exampleUrl: "wss://api.x.ai/v1/realtime",
    fixed: {},
    places: { ...GA_PLACES, voice: "voice", turnDetection: "turn_detection" },
    unknownTurnFields: ["eagerness", "idle_timeout_ms"],
  },
};

/** The headers that open a connection with a key or a token. */
export function credentialHeaders(
  { keyHeader }: OpenAiDialect,
  credential: string,
): Readonly<Record<string, string>> {
  // Ephemeral secrets, and JSON Web Tokens of Entra (RFC 7519), are tokens.
  const isToken = /^(?:ek_|eyJ)/u.test(credential);
  return keyHeader === "Authorization" || isToken
    ? { Authorization: `Bearer ${credential}` }
    : { [keyHeader]: credential };
}

/** Puts a value where a path ("audio.input.format") leads, making the objects on the way. */
export function putAt(target: Record<string, unknown>, path: string, value: unknown): void {
  const [name = "", ...rest] = path.split(".");
  if (rest.length === 0) {
    target[name] = value;
    return;
  }
  const inner = (target[name] ?? {}) as Record<string, unknown>;
  target[name] = inner;
  putAt(inner, rest.join("."), value);
}

/** The value where a path leads; `undefined` where it leads nowhere. */
export function valueAt(source: JsonObject, path: string): unknown {
  let value: unknown = source;
  for (const name of path.split(".")) {
    const isObject = typeof value === "object" && value !== null && Object.hasOwn(value, name);
    if (!isObject) return undefined;
    value = (value as JsonObject)[name];
  }
  return value;
}
