import { z } from "zod";
import { camelCased } from "./camel-case.ts";
import { TOOLS, toolNamesOf } from "./setup.ts";

const TURN = z.object({
  role: z.string().optional(),
  parts: z.array(z.object({ text: z.string().optional() })).optional(),
});
const BLOB = z.object({ data: z.string(), mimeType: z.string() });

const MESSAGES = {
  clientContent: z.object({
    turns: z.array(TURN).optional(),
    turnComplete: z.boolean().optional(),
  }),
  realtimeInput: z.object({
    audio: BLOB.optional(),
    mediaChunks: z.array(BLOB).optional(),
    text: z.string().optional(),
    activityStart: z.object({}).optional(),
    activityEnd: z.object({}).optional(),
    audioStreamEnd: z.boolean().optional(),
  }),
  contextUpdate: z.object({ systemInstruction: z.unknown().optional(), tools: TOOLS.optional() }),
  toolResponse: z.object({
    functionResponses: z
      .array(
        z.object({
          id: z.string(),
          name: z.string().optional(),
          response: z.record(z.string(), z.unknown()).optional(),
        }),
      )
      .min(1),
  }),
} as const;

type Name = keyof typeof MESSAGES;

/** What the user wrote. */
export interface ClientContent {
  readonly turns?:
    | readonly { readonly parts?: readonly { readonly text?: string | undefined }[] | undefined }[]
    | undefined;
  readonly turnComplete?: boolean | undefined;
}

/** Audio (or video) as it stands in a message. */
export interface Blob {
  readonly data: string;
  readonly mimeType: string;
}

/** What the user says, as it is said. */
export interface RealtimeInput {
  readonly audio?: Blob | undefined;
  readonly mediaChunks?: readonly Blob[] | undefined;
  readonly text?: string | undefined;
  readonly activityStart?: object | undefined;
  readonly activityEnd?: object | undefined;
  readonly audioStreamEnd?: boolean | undefined;
}

/** What a function returned, whichever way the client put it. */
export interface ToolResult {
  readonly callId: string;
  readonly result: unknown;
}

/** A message of the client, after its `setup`. */
export type ClientMessage =
  | { readonly kind: "setup"; readonly setup: unknown }
  | { readonly kind: "clientContent"; readonly content: ClientContent }
  | { readonly kind: "realtimeInput"; readonly input: RealtimeInput }
  /** `undefined`: the functions stay as they are. */
  | { readonly kind: "contextUpdate"; readonly toolNames: readonly string[] | undefined }
  | { readonly kind: "toolResponse"; readonly results: readonly ToolResult[] }
  | { readonly kind: "malformed"; readonly reason: string };

/** Reads one message: exactly one of the protocol's fields, in camelCase or snake_case. */
export function readClientMessage(text: string): ClientMessage {
  let value: unknown;
  try {
    value = camelCased(JSON.parse(text));
  } catch {
    return malformed("The message is not JSON.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return malformed("The message is not a JSON object.");
  }
  const [name, ...more] = Object.keys(value);
  if (name === undefined || more.length > 0) {
    return malformed(
      "A message has exactly one of setup, clientContent, realtimeInput, toolResponse.",
    );
  }
  const field = (value as Readonly<Record<string, unknown>>)[name];
  return name === "setup" ? { kind: "setup", setup: field } : readField(name, field);
}

function readField(name: string, field: unknown): ClientMessage {
  if (!Object.hasOwn(MESSAGES, name)) return malformed(`Unknown name "${name.slice(0, 40)}".`);
  const parsed = MESSAGES[name as Name].safeParse(field);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return malformed(`Invalid ${name}: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`);
  }
  if (name === "clientContent") {
    return { kind: "clientContent", content: MESSAGES.clientContent.parse(field) };
  }
  if (name === "contextUpdate") {
    const { tools } = MESSAGES.contextUpdate.parse(field);
    return { kind: name, toolNames: tools === undefined ? undefined : toolNamesOf(tools) };
  }
  if (name === "realtimeInput") {
    return { kind: "realtimeInput", input: MESSAGES.realtimeInput.parse(field) };
  }
  const { functionResponses } = MESSAGES.toolResponse.parse(field);
  const results = functionResponses.map(({ id, response = {} }) => ({
    callId: id,
    result: resultOf(response),
  }));
  return { kind: "toolResponse", results };
}

/** The protocol keeps `output` for what a function returned and `error` for why it could not. */
function resultOf(response: Readonly<Record<string, unknown>>): unknown {
  if ("error" in response) return { status: "error", message: response["error"] };
  return "output" in response ? response["output"] : response;
}

function malformed(reason: string): ClientMessage {
  return { kind: "malformed", reason };
}

/** The rate that a MIME type declares; 16 kHz where it declares none, `undefined` where it is no PCM. */
export function declaredRateHz(mimeType: string): number | undefined {
  if (!/^audio\/(?:pcm|l16)\b/iu.test(mimeType)) return undefined;
  const rate = Number(/;\s*rate=(\d+)/iu.exec(mimeType)?.[1] ?? 16_000);
  return rate >= 8000 && rate <= 48_000 ? rate : undefined;
}
