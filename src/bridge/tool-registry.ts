import { z } from "zod";
import { errorText, UsageError } from "../environment/index.ts";
import type { AiToolCallEvent } from "./ai-session.ts";
import type { Tool, ToolArguments, ToolDefinition } from "./tools.ts";

/** A tool call that can be carried out, or why it cannot: in words for the model. */
export type ToolRequest =
  | { readonly kind: "feasible"; readonly tool: Tool; readonly args: ToolArguments }
  | {
      readonly kind: "refused";
      readonly code: "ERR_TOOL_UNKNOWN" | "ERR_TOOL_ARGUMENTS";
      readonly message: string;
    };

interface Registered {
  readonly tool: Tool;
  readonly schema: z.ZodType;
}

/** What both providers take as a function's name. */
const NAME = /^[\w-]{1,64}$/u;
/** Problems told to the model at a time. */
const PROBLEMS_MAX = 5;

/** The tools that one call's model may use, and what their arguments must be like. */
export class ToolRegistry {
  readonly #tools = new Map<string, Registered>();

  /**
   * @throws UsageError ERR_TOOL_DEFINITION: a name that is no name or is there twice, or a schema
   *   that cannot be checked.
   */
  constructor(tools: readonly Tool[]) {
    for (const tool of tools) {
      const { name } = tool.definition;
      if (!NAME.test(name)) {
        throw malformed(name, "its name must be 1 to 64 letters, digits, _ or -");
      }
      if (this.#tools.has(name)) throw malformed(name, "there is another one of that name");
      this.#tools.set(name, { tool, schema: schemaOf(tool) });
    }
  }

  /** What the model is told that there is. */
  get definitions(): readonly ToolDefinition[] {
    return [...this.#tools.values()].map(({ tool }) => tool.definition);
  }

  /** Judges what the model asks for. */
  parse({ name, args, argsError }: AiToolCallEvent): ToolRequest {
    const registered = this.#tools.get(name);
    if (registered === undefined) {
      const names = [...this.#tools.keys()].join(", ");
      return {
        kind: "refused",
        code: "ERR_TOOL_UNKNOWN",
        message: `There is no such tool. There are: ${names}.`,
      };
    }
    if (argsError !== undefined) return wrongArguments(argsError);
    const parsed = registered.schema.safeParse(args);
    if (!parsed.success) return wrongArguments(problemsText(parsed.error.issues));
    return { kind: "feasible", tool: registered.tool, args: parsed.data as ToolArguments };
  }
}

function wrongArguments(message: string): ToolRequest {
  return { kind: "refused", code: "ERR_TOOL_ARGUMENTS", message };
}

function problemsText(issues: readonly z.core.$ZodIssue[]): string {
  const told = issues.slice(0, PROBLEMS_MAX).map(({ path, message }) => {
    const where = path.length === 0 ? "the arguments" : `"${path.map(String).join(".")}"`;
    return `${where}: ${message}`;
  });
  return `The arguments do not fit the tool's schema. ${told.join("; ")}.`;
}

/** @throws UsageError ERR_TOOL_DEFINITION. */
function schemaOf({ definition, accepts }: Tool): z.ZodType {
  const { name, parameters } = definition;
  const wanted = accepts ?? parameters;
  if (wanted["type"] !== "object") {
    throw malformed(name, 'its parameters must be a JSON Schema of "type": "object"');
  }
  try {
    return z.fromJSONSchema(wanted);
  } catch (cause) {
    throw malformed(
      name,
      `its parameters are no JSON Schema that can be checked: ${errorText(cause)}`,
    );
  }
}

function malformed(name: string, what: string): UsageError {
  return new UsageError("ERR_TOOL_DEFINITION", `The tool "${name}" cannot be offered: ${what}.`, {
    context: { name },
  });
}
