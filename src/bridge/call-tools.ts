import type { Tool, ToolDefinition } from "./tools.ts";

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
function transferCallTool(destinations: readonly string[]): ToolDefinition {
  const names = destinations.length === 0 ? {} : { enum: destinations };
  return {
    name: "transfer_call",
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

/** The directory is looked up without regard to case, and a SIP URI will do as well as a name. */
const TRANSFER_ARGUMENTS = {
  type: "object",
  properties: {
    destination: { type: "string", pattern: "\\S", maxLength: DESTINATION_CHARACTERS_MAX },
    attended: { type: "boolean", default: false },
  },
  required: ["destination"],
  additionalProperties: false,
};

/** The tools that act on the call itself: hang up, press keys, transfer. */
export function callTools(
  handlers: ToolHandlers,
  destinations: readonly string[] = [],
): readonly Tool[] {
  const common = { actsOnCall: true, waitsForSpeech: true } as const;
  return [
    {
      ...common,
      definition: HANGUP_CALL_TOOL,
      // Models like to give a reason, and a goodbye must not fail for that.
      accepts: { type: "object" },
      // After hanging up or transferring there is nobody to talk to.
      responds: false,
      run: async () => {
        await handlers.hangUp();
        return {};
      },
    },
    {
      ...common,
      definition: SEND_DTMF_TOOL,
      responds: true,
      run: async ({ digits }) => {
        await handlers.sendDigits(digits as string);
        return {};
      },
    },
    {
      ...common,
      definition: transferCallTool(destinations),
      accepts: TRANSFER_ARGUMENTS,
      responds: false,
      run: async ({ destination, attended }) => {
        const request = { destination: destination as string, attended: attended === true };
        const { result: outcome, statusCode } = await handlers.transfer(request);
        return { outcome, statusCode };
      },
    },
  ];
}
