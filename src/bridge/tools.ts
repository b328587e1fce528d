/** What the model wants a call to be transferred to. */
export interface TransferRequest {
  /** A name of the bot's directory, or a SIP URI. */
  readonly destination: string;
  /** The destination is called first, and the caller sent there once it has answered. */
  readonly attended: boolean;
}

/** What came of a transfer; the peer may not say whether the destination answered. */
export interface TransferResult {
  readonly result: string;
  readonly statusCode?: number;
}

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
  /** Transfers the caller; resolves once the caller has gone there, rejects where it has not. */
  transfer(request: TransferRequest): Promise<TransferResult>;
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

const DESTINATION_CHARACTERS_MAX = 256;

/**
 * Lets the bot hand the caller over; what it has said is played first.
 * @param destinations the names that it may choose from; none: it has to know a SIP URI.
 */
export function transferCallTool(destinations: readonly string[]): ToolDefinition {
  const names = destinations.length === 0 ? {} : { enum: destinations };
  return {
    name: TRANSFER_CALL,
    description:
      "Transfers the caller to somebody else and leaves the call. Tell the caller first: what you have already said is played before. If the transfer fails, the caller is still on the line and you are told why.",
    parameters: {
      type: "object",
      properties: {
        destination: {
          type: "string",
          ...names,
          description: "Whom to transfer the caller to.",
        },
        attended: {
          type: "boolean",
          description:
            "Whether to call the destination first, and to transfer only if it answers. Default: false.",
        },
      },
      required: ["destination"],
      additionalProperties: false,
    },
  };
}

const TRANSFER_CALL = "transfer_call";

/** A tool call that can be carried out, or why it cannot. */
export type ToolRequest =
  | { readonly kind: "hangUp" }
  | { readonly kind: "sendDigits"; readonly digits: string }
  | ({ readonly kind: "transfer" } & TransferRequest)
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
  if (name === SEND_DTMF_TOOL.name) return parseDigits(args, argsError);
  if (name === TRANSFER_CALL) return parseTransfer(args, argsError);
  const names = [HANGUP_CALL_TOOL.name, SEND_DTMF_TOOL.name, TRANSFER_CALL].join(", ");
  return {
    kind: "refused",
    code: "ERR_TOOL_UNKNOWN",
    message: `There is no such tool. There are: ${names}.`,
  };
}

type Arguments = Readonly<Record<string, unknown>>;

function parseDigits(args: Arguments, argsError: string | undefined): ToolRequest {
  const digits = args["digits"];
  if (argsError === undefined && typeof digits === "string" && DIGITS.test(digits)) {
    return { kind: "sendDigits", digits };
  }
  return wrongArguments(
    argsError ?? '"digits" must be a text of 1 to 64 of the characters 0-9, A-D, * and #.',
  );
}

function parseTransfer(args: Arguments, argsError: string | undefined): ToolRequest {
  const { destination, attended = false } = args;
  if (argsError !== undefined) return wrongArguments(argsError);
  if (typeof destination !== "string" || destination.trim() === "") {
    return wrongArguments('"destination" must be a text that says whom to transfer to.');
  }
  if (destination.length > DESTINATION_CHARACTERS_MAX) {
    return wrongArguments(`"destination" is longer than ${DESTINATION_CHARACTERS_MAX} characters.`);
  }
  if (typeof attended !== "boolean") return wrongArguments('"attended" must be true or false.');
  return { kind: "transfer", destination, attended };
}

function wrongArguments(message: string): ToolRequest {
  return { kind: "refused", code: "ERR_TOOL_ARGUMENTS", message };
}
