import { z } from "zod";

/** How audio is written: PCM is 24 kHz s16le, G.711 is 8 kHz; both mono. */
export type AudioFormat =
  | { readonly type: "audio/pcm"; readonly rate: 24_000 }
  | { readonly type: "audio/pcmu" }
  | { readonly type: "audio/pcma" };

/** How turns are found; `null`: the client commits them. */
export type TurnDetectionConfig =
  | {
      readonly type: "server_vad";
      readonly threshold: number;
      readonly prefix_padding_ms: number;
      readonly silence_duration_ms: number;
      readonly idle_timeout_ms: number | null;
      readonly create_response: boolean;
      readonly interrupt_response: boolean;
    }
  | {
      readonly type: "semantic_vad";
      readonly eagerness: "low" | "medium" | "high" | "auto";
      readonly create_response: boolean;
      readonly interrupt_response: boolean;
    }
  | null;

/** Whether and how the user's words are written down. */
export type TranscriptionConfig = Readonly<Record<string, unknown>> | null;

/** What a client may set of the input. */
export interface AudioInputUpdate {
  readonly format?: AudioFormat | undefined;
  readonly noise_reduction?: Readonly<Record<string, unknown>> | null | undefined;
  readonly transcription?: TranscriptionConfig | undefined;
  readonly turn_detection?: TurnDetectionConfig | undefined;
}

/** What a client may set of the output. */
export interface AudioOutputUpdate {
  readonly format?: AudioFormat | undefined;
  readonly voice?: string | { readonly id: string } | undefined;
  readonly speed?: number | undefined;
}

/** Settings that are stored and echoed, and mean nothing to a scripted AI. */
interface EchoedSettings {
  readonly instructions?: string | undefined;
  readonly parallel_tool_calls?: boolean | undefined;
  readonly reasoning?: unknown;
  readonly prompt?: unknown;
}

/** Settings that a session and a single response have in common. */
interface CommonSettings extends EchoedSettings {
  readonly output_modalities?: readonly string[] | undefined;
  readonly tools?:
    | readonly { readonly type: string; readonly name?: string | undefined }[]
    | undefined;
  readonly tool_choice?: unknown;
  readonly max_output_tokens?: number | "inf" | undefined;
}

/** `session` of `session.update`. */
export interface SessionUpdate extends CommonSettings {
  readonly type: "realtime";
  readonly model?: string | undefined;
  readonly audio?:
    | {
        readonly input?: AudioInputUpdate | undefined;
        readonly output?: AudioOutputUpdate | undefined;
      }
    | undefined;
  readonly truncation?: unknown;
  readonly tracing?: unknown;
  readonly include?: readonly string[] | null | undefined;
}

/** `response` of `response.create`. */
export interface ResponseRequest extends CommonSettings {
  readonly audio?: { readonly output?: AudioOutputUpdate | undefined } | undefined;
  readonly conversation?: string | undefined;
  readonly input?: readonly { readonly type: string; readonly content?: unknown }[] | undefined;
  readonly metadata?: Readonly<Record<string, string>> | null | undefined;
}

const AUDIO_FORMAT = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("audio/pcm"), rate: z.literal(24_000).default(24_000) }),
  z.strictObject({ type: z.literal("audio/pcmu") }),
  z.strictObject({ type: z.literal("audio/pcma") }),
]);

const MS = z.number().int().min(0);

const SERVER_VAD = z.strictObject({
  type: z.literal("server_vad"),
  threshold: z.number().min(0).max(1).default(0.5),
  prefix_padding_ms: MS.default(300),
  silence_duration_ms: MS.default(500),
  idle_timeout_ms: MS.nullable().default(null),
  create_response: z.boolean().default(true),
  interrupt_response: z.boolean().default(true),
});

const SEMANTIC_VAD = z.strictObject({
  type: z.literal("semantic_vad"),
  eagerness: z.enum(["low", "medium", "high", "auto"]).default("auto"),
  create_response: z.boolean().default(true),
  interrupt_response: z.boolean().default(true),
});

const TURN_DETECTION = z.discriminatedUnion("type", [SERVER_VAD, SEMANTIC_VAD]).nullable();

const TRANSCRIPTION = z
  .strictObject({
    model: z.string().optional(),
    language: z.string().nullable().default(null),
    prompt: z.string().nullable().default(null),
    delay: z.unknown().optional(),
    keywords: z.unknown().optional(),
  })
  .nullable();

const NOISE_REDUCTION = z
  .strictObject({
    type: z.enum(["near_field", "far_field"]),
    strength: z.number().optional(),
  })
  .nullable();

/** Tools: their parameters are JSON Schema, which is none of our business. */
const TOOL = z.looseObject({ type: z.string(), name: z.string().optional() });

const TOOL_CHOICE = z.union([
  z.enum(["auto", "none", "required"]),
  z.looseObject({ type: z.string() }),
]);

const MODALITIES = z.union([z.tuple([z.literal("audio")]), z.tuple([z.literal("text")])]);

const MAX_OUTPUT_TOKENS = z.union([z.number().int().min(1).max(4096), z.literal("inf")]);

const VOICE = z.union([z.string(), z.strictObject({ id: z.string() })]);

const AUDIO_OUTPUT = z.strictObject({
  format: AUDIO_FORMAT.optional(),
  voice: VOICE.optional(),
  speed: z.number().min(0.25).max(1.5).optional(),
});

const AUDIO_INPUT = z.strictObject({
  format: AUDIO_FORMAT.optional(),
  noise_reduction: NOISE_REDUCTION.optional(),
  transcription: TRANSCRIPTION.optional(),
  turn_detection: TURN_DETECTION.optional(),
});

/** `session` of `session.update`: only what it names is changed. Beta names are unknown here. */
export const SESSION_UPDATE_SCHEMA: z.ZodType<SessionUpdate> = z.strictObject({
  type: z.literal("realtime"),
  model: z.string().optional(),
  instructions: z.string().optional(),
  output_modalities: MODALITIES.optional(),
  audio: z
    .strictObject({ input: AUDIO_INPUT.optional(), output: AUDIO_OUTPUT.optional() })
    .optional(),
  tools: z.array(TOOL).optional(),
  tool_choice: TOOL_CHOICE.optional(),
  parallel_tool_calls: z.boolean().optional(),
  reasoning: z.looseObject({}).nullable().optional(),
  max_output_tokens: MAX_OUTPUT_TOKENS.optional(),
  truncation: z
    .union([z.enum(["auto", "disabled"]), z.looseObject({ type: z.string() })])
    .optional(),
  tracing: z
    .union([z.literal("auto"), z.looseObject({})])
    .nullable()
    .optional(),
  prompt: z.looseObject({}).nullable().optional(),
  include: z.array(z.string()).nullable().optional(),
});

/** `response` of `response.create`. */
export const RESPONSE_CREATE_SCHEMA: z.ZodType<ResponseRequest> = z.strictObject({
  output_modalities: MODALITIES.optional(),
  audio: z.strictObject({ output: AUDIO_OUTPUT.optional() }).optional(),
  instructions: z.string().optional(),
  tools: z.array(TOOL).optional(),
  tool_choice: TOOL_CHOICE.optional(),
  parallel_tool_calls: z.boolean().optional(),
  reasoning: z.looseObject({}).nullable().optional(),
  conversation: z.string().optional(),
  input: z.array(z.looseObject({ type: z.string() })).optional(),
  metadata: z.record(z.string(), z.string()).nullable().optional(),
  max_output_tokens: MAX_OUTPUT_TOKENS.optional(),
  prompt: z.looseObject({}).nullable().optional(),
});
