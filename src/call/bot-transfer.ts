import type { TransferRequest } from "../bridge/index.ts";
import { RemoteError } from "../environment/index.ts";
import type { TransferOutcome } from "../sip/index.ts";
import type { Call } from "./call.ts";
import { endsCall } from "./call-transfers.ts";

/** What a bot's transfers need beside the call. */
export interface BotTransferHost {
  /** Names that the model knows, and their SIP URIs. */
  readonly destinations: Readonly<Record<string, string>>;
  /** Places a call of ours to a destination. */
  dial(target: string): Promise<Call>;
}

/**
 * Carries out the model's `transfer_call`; resolves when the caller is where it should be, or where
 * the peer says no more.
 *
 * An attended transfer calls the destination first, and the caller is only referred there once it
 * has answered.
 * @throws RemoteError ERR_TOOL_ARGUMENTS, ERR_TRANSFER_FAILED, ERR_TRANSFER_REFUSED,
 *   ERR_TRANSFER_TIMED_OUT; UsageError as `Call.transfer`.
 */
export async function transferByTool(
  call: Call,
  { destination, attended }: TransferRequest,
  host: BotTransferHost,
): Promise<TransferOutcome> {
  const target = targetOf(destination, host.destinations);
  const outcome = attended
    ? await transferAttended(call, await host.dial(target))
    : await call.transfer({ target });
  if (endsCall(outcome)) return outcome;
  throw failure(outcome);
}

async function transferAttended(call: Call, consultation: Call): Promise<TransferOutcome> {
  // Nobody is called any longer for a caller who has gone.
  call.onEnded = () => {
    if (consultation.isEarly) void consultation.hangUp();
  };
  try {
    await answered(consultation);
    const outcome = await call.transfer(consultation.dialog());
    // The destination ends the consultation itself, when it is replaced.
    if (!endsCall(outcome)) void consultation.hangUp();
    return outcome;
  } catch (error) {
    void consultation.hangUp();
    throw error;
  }
}

/** @throws RemoteError ERR_TRANSFER_FAILED. */
function answered(consultation: Call): Promise<void> {
  if (consultation.hasEnded) return Promise.reject(nobodyAsked());
  return new Promise((resolve, reject) => {
    consultation.onSipEvent = (event) => {
      if (event.type === "confirmed") resolve();
      if (event.type !== "ended") return;
      const { statusCode, reasonPhrase } = event;
      reject(nobodyAsked(statusCode, reasonPhrase));
    };
  });
}

function nobodyAsked(statusCode?: number, reasonPhrase?: string): RemoteError {
  return failure({
    result: "failed",
    ...(statusCode === undefined ? {} : { statusCode }),
    ...(reasonPhrase === undefined ? {} : { reasonPhrase }),
  });
}

function targetOf(destination: string, known: BotTransferHost["destinations"]): string {
  const named = Object.entries(known).find(
    ([name]) => name.toLowerCase() === destination.trim().toLowerCase(),
  );
  if (named !== undefined) return named[1];
  if (/^sips?:/iu.test(destination.trim())) return destination.trim();
  const names = Object.keys(known).map((name) => `"${name}"`);
  throw new RemoteError(
    "ERR_TOOL_ARGUMENTS",
    names.length === 0
      ? "There is no such destination. Give a SIP URI, sip:user@host."
      : `There is no such destination. There are: ${names.join(", ")}.`,
  );
}

const FAILURES = {
  failed: { code: "ERR_TRANSFER_FAILED", what: "the destination did not take the call" },
  refused: { code: "ERR_TRANSFER_REFUSED", what: "the caller's telephone refused it" },
  timedOut: { code: "ERR_TRANSFER_TIMED_OUT", what: "nothing was heard of it in time" },
} as const;

function failure({ result, statusCode, reasonPhrase }: Omit<TransferOutcome, "at">): RemoteError {
  const { code, what } = FAILURES[result as keyof typeof FAILURES];
  const phrase = reasonPhrase === undefined ? "" : ` ${reasonPhrase}`;
  const status = statusCode === undefined ? "" : ` (${statusCode}${phrase})`;
  return new RemoteError(
    code,
    `The transfer did not come about: ${what}${status}. The caller is still on the line.`,
    { context: { outcome: result, ...(statusCode === undefined ? {} : { statusCode }) } },
  );
}
