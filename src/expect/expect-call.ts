import type { WatchedCall } from "../call/index.ts";
import { ExpectationError, elapsedMs } from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";
import type { FactOf } from "../timeline/index.ts";
import { awaitOutcome, describeOutcome, dialedAt, lastResponse } from "./call-outcome.ts";
import { unsupportedError } from "./unsupported.ts";
import { awaitEnds, endedEarly, isEnd } from "./watch.ts";

/**
 * The call is answered within `limitMs` of its INVITE.
 * @throws ExpectationError ERR_NOT_ANSWERED; RemoteError ERR_CALL_ENDED_EARLY,
 *   ERR_CALL_UNSUPPORTED.
 */
export async function expectAnswered(call: WatchedCall, limitMs: number): Promise<string> {
  const dialed = dialedAt(call);
  const fact = await call.waitFor(
    (each) =>
      isEnd(each) ||
      (each.kind === "callPhase" && each.phase === "answered" && each.party === "caller"),
    limitMs,
    dialed?.at,
  );
  if (fact === undefined) {
    throw new ExpectationError(
      "ERR_NOT_ANSWERED",
      `The call was not answered within ${formatMs(limitMs)}; last seen: ${lastResponse(call)}.`,
      { context: { limitMs } },
    );
  }
  if (isEnd(fact)) throw await endedEarly(call, "it was answered");
  const tookMs = dialed === undefined ? 0 : elapsedMs(dialed.at, fact.at);
  return `answered after ${formatMs(tookMs)}`;
}

/**
 * The call is refused with this final response.
 * @throws ExpectationError ERR_NOT_REJECTED; RemoteError ERR_CALL_UNSUPPORTED.
 */
export async function expectRejected(
  call: WatchedCall,
  statusCode: number,
  limitMs: number,
): Promise<string> {
  const fact = await awaitOutcome(call, limitMs);
  const observed = describeOutcome(call, fact);
  if (fact?.reason === "rejected" && fact.statusCode === statusCode) {
    return observed;
  }
  await awaitEnds(call);
  const unsupported = unsupportedError(call);
  if (unsupported !== undefined) throw unsupported;
  throw new ExpectationError(
    "ERR_NOT_REJECTED",
    `Expected the call to be rejected with ${statusCode}, but ${observed}.`,
    { context: { statusCode, limitMs } },
  );
}

/**
 * The call ends unanswered: it rang (or nothing came) until the caller gave up.
 * @throws ExpectationError ERR_ANSWERED; RemoteError ERR_CALL_UNSUPPORTED.
 */
export async function expectUnanswered(call: WatchedCall, limitMs: number): Promise<string> {
  const fact = await awaitOutcome(call, limitMs);
  const observed = describeOutcome(call, fact);
  const reasons = ["ringTimeout", "noAnswer", "cancel"];
  if (reasons.includes(fact?.reason ?? "")) return observed;
  await awaitEnds(call);
  const unsupported = unsupportedError(call);
  if (unsupported !== undefined) throw unsupported;
  throw new ExpectationError("ERR_ANSWERED", `Expected that nobody answers, but ${observed}.`, {
    context: { limitMs },
  });
}

/**
 * The other side ends the call (BYE seen by the caller) within `limitMs` of now.
 * @throws ExpectationError ERR_NOT_HUNG_UP.
 */
export async function expectHangUpByBot(call: WatchedCall, limitMs: number): Promise<string> {
  const fact = await call.waitFor((each) => isEnd(each) && each.party === "caller", limitMs);
  if (fact?.kind === "callPhase" && fact.endedBy === "remote" && fact.reason === "bye") {
    return "BYE from the bot";
  }
  throw new ExpectationError(
    "ERR_NOT_HUNG_UP",
    fact === undefined
      ? `The bot did not hang up within ${formatMs(limitMs)}.`
      : `Expected a BYE from the bot, but ${describeOutcome(call, fact as FactOf<"callPhase">)}.`,
    { context: { limitMs } },
  );
}
