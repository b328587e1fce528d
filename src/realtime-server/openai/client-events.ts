import { z } from "zod";
import {
  RESPONSE_CREATE_SCHEMA,
  type ResponseRequest,
  SESSION_UPDATE_SCHEMA,
  type SessionUpdate,
} from "./session-schema.ts";
import { type ProtocolError, protocolError } from "./wire.ts";

/** One part of a message that a client writes. */
type ClientContent =
  | { readonly type: "input_text" | "output_text"; readonly text: string }
  | {
      readonly type: "input_audio";
      readonly audio: string;
      readonly transcript?: string | null | undefined;
    }
  | { readonly type: "input_image" | "output_audio" };

interface ClientItemBase {
  readonly id?: string | undefined;
  readonly object?: string | undefined;
  readonly status?: "completed" | "incomplete" | "in_progress" | undefined;
}

/** An item as the client wrote it. */
export type ClientItem = ClientItemBase &
  (
    | {
        readonly type: "message";
        readonly role: "user" | "assistant" | "system";
        readonly content: readonly ClientContent[];
      }
    | {
        readonly type: "function_call";
        readonly name: string;
        readonly call_id?: string | undefined;
        readonly arguments: string;
      }
    | { readonly type: "function_call_output"; readonly call_id: string; readonly output: string }
  );

/** Everything a client may send but audio, which has a path of its own. */
export type ClientEvent =
  | { readonly type: "session.update"; readonly session: SessionUpdate }
  | { readonly type: "input_audio_buffer.commit" | "input_audio_buffer.clear" }
  | {
      readonly type: "conversation.item.create";
      readonly previous_item_id?: string | null | undefined;
      readonly item: ClientItem;
    }
  | { readonly type: "conversation.item.retrieve"; readonly item_id: string }
  | { readonly type: "conversation.item.delete"; readonly item_id: string }
  | {
      readonly type: "conversation.item.truncate";
      readonly item_id: string;
      readonly content_index: 0;
      readonly audio_end_ms: number;
    }
  | { readonly type: "response.create"; readonly response?: ResponseRequest | null | undefined }
  | { readonly type: "response.cancel"; readonly response_id?: string | undefined };

/** The event of one type. */
export type ClientEventOf<Type extends ClientEvent["type"]> = Extract<ClientEvent, { type: Type }>;

const EVENT_ID = z.string().max(512).optional();
const ITEM_ID = z.string().min(1);

const CONTENT_PART = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("input_text"), text: z.string() }),
  z.strictObject({
    type: z.literal("input_audio"),
    audio: z.string(),
    transcript: z.string().nullable().optional(),
  }),
  z.looseObject({ type: z.literal("input_image") }),
  z.strictObject({ type: z.literal("output_text"), text: z.string() }),
  z.looseObject({ type: z.literal("output_audio"), transcript: z.string().optional() }),
]);

const ITEM_BASE = {
  id: z.string().min(1).max(64).optional(),
  object: z.string().optional(),
  status: z.enum(["completed", "incomplete", "in_progress"]).optional(),
};

const ITEM = z.discriminatedUnion("type", [
  z.strictObject({
    ...ITEM_BASE,
    type: z.literal("message"),
    role: z.enum(["user", "assistant", "system"]),
    content: z.array(CONTENT_PART),
  }),
  z.strictObject({
    ...ITEM_BASE,
    type: z.literal("function_call"),
    name: z.string(),
    call_id: z.string().optional(),
    arguments: z.string(),
  }),
  z.strictObject({
    ...ITEM_BASE,
    type: z.literal("function_call_output"),
    call_id: z.string(),
    output: z.string(),
  }),
]);

const EVENT = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("session.update"),
    event_id: EVENT_ID,
    session: SESSION_UPDATE_SCHEMA,
  }),
  z.strictObject({ type: z.literal("input_audio_buffer.commit"), event_id: EVENT_ID }),
  z.strictObject({ type: z.literal("input_audio_buffer.clear"), event_id: EVENT_ID }),
  z.strictObject({
    type: z.literal("conversation.item.create"),
    event_id: EVENT_ID,
    previous_item_id: z.string().nullable().optional(),
    item: ITEM,
  }),
  z.strictObject({
    type: z.literal("conversation.item.retrieve"),
    event_id: EVENT_ID,
    item_id: ITEM_ID,
  }),
  z.strictObject({
    type: z.literal("conversation.item.delete"),
    event_id: EVENT_ID,
    item_id: ITEM_ID,
  }),
  z.strictObject({
    type: z.literal("conversation.item.truncate"),
    event_id: EVENT_ID,
    item_id: ITEM_ID,
    content_index: z.literal(0),
    audio_end_ms: z.number().int().min(0),
  }),
  z.strictObject({
    type: z.literal("response.create"),
    event_id: EVENT_ID,
    response: RESPONSE_CREATE_SCHEMA.nullable().optional(),
  }),
  z.strictObject({
    type: z.literal("response.cancel"),
    event_id: EVENT_ID,
    response_id: z.string().optional(),
  }),
]);

const APPEND = "input_audio_buffer.append";
const SUPPORTED = [APPEND, ...EVENT.options.map((option) => option.shape.type.value)];

/** Checks an event of the client; what is wrong with it comes back in the provider's words. */
export function parseClientEvent(
  value: Readonly<Record<string, unknown>>,
): ClientEvent | ProtocolError {
  const { type } = value;
  if (typeof type !== "string") return missing("type");
  if (!SUPPORTED.includes(type)) {
    return protocolError(
      "invalid_value",
      `Invalid value: '${type}'. Supported values are: ${SUPPORTED.map((each) => `'${each}'`).join(", ")}.`,
      "type",
    );
  }
  const parsed = EVENT.safeParse(value);
  return parsed.success ? parsed.data : schemaError(parsed.error, value);
}

/** The error for a parameter that is required and not there. */
export function missing(param: string): ProtocolError {
  const message = `Missing required parameter: '${param}'.`;
  return protocolError("missing_required_parameter", message, param);
}

/** What does not fit a schema, in the provider's words. */
export function schemaError(error: z.ZodError, value: unknown): ProtocolError {
  // An unknown name is told first: a beta session is best recognised by it.
  const unknown = error.issues.find((issue) => issue.code === "unrecognized_keys");
  if (unknown?.code === "unrecognized_keys") {
    const param = paramOf([...unknown.path, unknown.keys[0] ?? ""]);
    return protocolError("unknown_parameter", `Unknown parameter: '${param}'.`, param);
  }
  const [issue] = error.issues;
  const path = issue?.path ?? [];
  const param = paramOf(path);
  if (valueAt(value, path) === undefined) return missing(param);
  const reason = issue?.message ?? "not allowed";
  return protocolError("invalid_value", `Invalid value for '${param}': ${reason}.`, param);
}

function paramOf(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      return index === 0 ? String(part) : `.${String(part)}`;
    })
    .join("");
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const part of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = (found as Record<PropertyKey, unknown>)[part];
  }
  return found;
}
