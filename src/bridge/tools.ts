/** A function that the model may call: name, purpose, and its arguments as JSON Schema. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** What the call must be able to do for the bot; `call/` provides it. */
export interface ToolHandlers {
  /** Ends the call; resolves once it has ended. */
  hangUp(): Promise<void>;
  /** Sends RFC 4733 digits; resolves once the last has been sent. */
  sendDigits(digits: string): Promise<void>;
}

/** Lets the bot end the call; what it has said is played first. */
export const HANGUP_CALL_TOOL: ToolDefinition = {
  name: "hangup_call",
  description:
    "Ends the telephone call. Say goodbye first: what you have already said is played to the caller before the call ends.",
  parameters: { type: "object", properties: {}, additionalProperties: false },
};

/** Lets the bot press telephone keys; what it has said is played first. */
export const SEND_DTMF_TOOL: ToolDefinition = {
  name: "send_dtmf",
  description: "Presses keys of the telephone (DTMF), one after another, e.g. to use a menu.",
  parameters: {
    type: "object",
    properties: {
      digits: {
        type: "string",
        pattern: "^[0-9A-D*#]{1,64}$",
        description: "The keys to press: 0 to 9, A to D, * and #.",
      },
    },
    required: ["digits"],
    additionalProperties: false,
  },
};

/** A tool call that can be carried out, or why it cannot. */
export type ToolRequest =
  | { readonly kind: "hangUp" }
  | { readonly kind: "sendDigits"; readonly digits: string }
  | {
      readonly kind: "refused";
      readonly code: "ERR_TOOL_UNKNOWN" | "ERR_TOOL_ARGUMENTS";
      readonly message: string;
    };

const DIGITS = /^[0-9A-D*#]{1,64}$/u;

/** Parses what the model asked for. `argsError`: why its arguments were not a JSON object. */
export function parseToolRequest(
  name: string,
  args: Readonly<Record<string, unknown>>,
  argsError: string | undefined,
): ToolRequest {
  if (name === HANGUP_CALL_TOOL.name) return { kind: "hangUp" };
  if (name !== SEND_DTMF_TOOL.name) {
    return {
      kind: "refused",
      code: "ERR_TOOL_UNKNOWN",
      message: `There is no such tool. There are: ${HANGUP_CALL_TOOL.name}, ${SEND_DTMF_TOOL.name}.`,
    };
  }
  const digits = args["digits"];
  if (argsError === undefined && typeof digits === "string" && DIGITS.test(digits)) {
    return { kind: "sendDigits", digits };
  }
  return {
    kind: "refused",
    code: "ERR_TOOL_ARGUMENTS",
    message: argsError ?? '"digits" must be a text of 1 to 64 of the characters 0-9, A-D, * and #.',
  };
}
