import { z } from "zod";
import { errorText, isSidetoneError, UsageError } from "../environment/index.ts";
import type { HttpToolOptions } from "./http-policy.ts";
import { ToolRegistry } from "./tool-registry.ts";
import type { Tool, ToolAnswer, ToolArguments } from "./tools.ts";

/** What a handler may use. */
export interface UserToolContext {
  /** Aborted where the call ends, the model takes the tool call back, or its time is over. */
  readonly signal: AbortSignal;
  readonly toolCallId: string;
  /** SIP's Call-ID of the call in which the model called it. */
  readonly callId: string;
}

/** A tool of one's own, as a module exports it. */
export interface UserTool {
  readonly name: string;
  /** What the model is told that it is for. */
  readonly description: string;
  /** JSON Schema of its arguments, of type "object". */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Its result is told to the model as JSON; what it throws is told as an error. */
  readonly handler: (args: ToolArguments, context: UserToolContext) => unknown;
  /** Default 10 000. */
  readonly timeoutMs?: number;
  /** Whether it waits until what the bot has said is played. Default: no. */
  readonly waitsForSpeech?: boolean;
  /** Whether the model goes on speaking when it has succeeded. Default: yes. */
  readonly responds?: boolean;
}

/** What a module of tools exports. */
export interface ToolModule {
  readonly tools?: readonly UserTool[];
  /** Whom the tool `http_request` may ask; without it, there is no such tool. */
  readonly http?: HttpToolOptions;
}

const TIMEOUT_MS = 10_000;
const texts = z.record(z.string(), z.string());

const tool = z.strictObject({
  name: z.string(),
  description: z.string().min(1),
  parameters: z.record(z.string(), z.unknown()),
  handler: z.custom<UserTool["handler"]>((value) => typeof value === "function", "is no function"),
  timeoutMs: z.number().min(1).max(600_000).optional(),
  waitsForSpeech: z.boolean().optional(),
  responds: z.boolean().optional(),
});

/** How an HTTP tool may be set; see `HttpToolOptions`. */
export const HTTP_TOOL_SCHEMA: z.ZodType<HttpToolOptions> = z.strictObject({
  allow: z.array(z.string().min(1)),
  allowsPrivateAddresses: z.boolean().exactOptional(),
  methods: z
    .array(z.enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]))
    .min(1)
    .exactOptional(),
  headers: z.record(z.string(), texts).exactOptional(),
  timeoutMs: z.number().min(1).max(600_000).exactOptional(),
  bytesMax: z.number().min(1).max(1_048_576).exactOptional(),
  redirectsMax: z.number().int().min(0).max(10).exactOptional(),
  ca: z.string().exactOptional(),
});

const toolModule = z.object({
  tools: z.array(tool).optional(),
  http: HTTP_TOOL_SCHEMA.optional(),
});

/**
 * Reads what a module exports.
 * @throws UsageError ERR_TOOLS_MODULE naming the file and what is wrong in it.
 */
export function readToolModule(exports: unknown, fileName: string): ToolModule {
  const parsed = toolModule.safeParse({ ...(exports as object) });
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => {
      return `${path.map(String).join(".")}: ${message}`;
    });
    throw malformed(fileName, problems.join("; "));
  }
  const { tools, http } = parsed.data;
  if (tools === undefined && http === undefined) {
    throw malformed(fileName, 'it exports neither "tools" nor "http"');
  }
  const read = { tools: (tools ?? []) as readonly UserTool[] };
  try {
    // Told now, and not in the first call.
    void new ToolRegistry(userTools(read.tools, ""));
  } catch (error) {
    if (!isSidetoneError(error)) throw error;
    throw malformed(fileName, errorText(error));
  }
  return http === undefined ? read : { ...read, http };
}

/** The tools of a module, for one call. */
export function userTools(tools: readonly UserTool[], callId: string): readonly Tool[] {
  return tools.map(({ name, description, parameters, handler, ...rest }) => ({
    definition: { name, description, parameters },
    actsOnCall: false,
    waitsForSpeech: rest.waitsForSpeech ?? false,
    timeoutMs: rest.timeoutMs ?? TIMEOUT_MS,
    responds: rest.responds ?? true,
    run: async (args, { signal, toolCallId }): Promise<ToolAnswer> => {
      const result = await handler(args, { signal, toolCallId, callId });
      return result === undefined ? {} : { result };
    },
  }));
}

function malformed(fileName: string, what: string): UsageError {
  return new UsageError(
    "ERR_TOOLS_MODULE",
    `${fileName} is no module of tools: ${what}. See docs/tools.md.`,
    { context: { fileName } },
  );
}
