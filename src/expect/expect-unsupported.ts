import type { WatchedCall } from "../call/index.ts";
import { ExpectationError } from "../environment/index.ts";
import { awaitOutcome, describeOutcome } from "./call-outcome.ts";
import { unsupportedError } from "./unsupported.ts";
import { awaitEnds, settle } from "./watch.ts";

/** An answer that cannot be used ends the call right after it was answered. */
const ANSWER_SETTLE_MS = 500;

/**
 * The call does not come up, because the two sides have no codec or no encryption in common.
 * @throws ExpectationError ERR_NOT_REJECTED.
 */
export async function expectUnsupported(call: WatchedCall, limitMs: number): Promise<string> {
  const fact = await awaitOutcome(call, limitMs);
  if (fact?.phase === "answered" && !call.hasEnded) await settle(call, ANSWER_SETTLE_MS);
  await awaitEnds(call);
  const unsupported = unsupportedError(call);
  if (unsupported !== undefined) return unsupported.message;
  throw new ExpectationError(
    "ERR_NOT_REJECTED",
    `Expected the call to be refused as unsupported, but ${describeOutcome(call, fact)}.`,
    { context: { limitMs } },
  );
}

/**
 * For the end of a scenario that did not expect it: a call that never came up for want of common
 * media must not look like a pass.
 * @throws RemoteError ERR_CALL_UNSUPPORTED.
 */
export function requireSupported(call: WatchedCall): void {
  const unsupported = unsupportedError(call);
  if (unsupported !== undefined) throw unsupported;
}
