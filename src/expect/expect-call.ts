import type { WatchedCall } from "../call/index.ts";
import { ExpectationError, elapsedMs } from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";
import type { FactOf } from "../timeline/index.ts";
import { describeEnd, endedEarly, isEnd, settle } from "./watch.ts";

function dialedAt(call: WatchedCall): FactOf<"callPhase"> | undefined {
  return call.timeline.of("callPhase").find(({ phase }) => phase === "dialed");
}

/**
 * The call is answered within `limitMs` of its INVITE.
 * @throws ExpectationError ERR_NOT_ANSWERED; RemoteError ERR_CALL_ENDED_EARLY.
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
  if (isEnd(fact)) throw endedEarly(call, "it was answered");
  const tookMs = dialed === undefined ? 0 : elapsedMs(dialed.at, fact.at);
  return `answered after ${formatMs(tookMs)}`;
}

/**
 * The call is refused with this final response.
 * @throws ExpectationError ERR_NOT_REJECTED.
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
  throw new ExpectationError(
    "ERR_NOT_REJECTED",
    `Expected the call to be rejected with ${statusCode}, but ${observed}.`,
    { context: { statusCode, limitMs } },
  );
}

/**
 * The call ends unanswered: it rang (or nothing came) until the caller gave up.
 * @throws ExpectationError ERR_ANSWERED.
 */
export async function expectUnanswered(call: WatchedCall, limitMs: number): Promise<string> {
  const fact = await awaitOutcome(call, limitMs);
  const observed = describeOutcome(call, fact);
  const reasons = ["ringTimeout", "noAnswer", "cancel"];
  if (reasons.includes(fact?.reason ?? "")) return observed;
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

/**
 * The caller receives exactly these digits (RFC 4733), in this order.
 * @throws ExpectationError ERR_DIGITS_DIFFER.
 */
export async function expectDigits(
  call: WatchedCall,
  digits: string,
  limitMs: number,
): Promise<string> {
  const received = (): string =>
    call.timeline
      .of("digit")
      .filter(({ direction, party }) => direction === "received" && party === "caller")
      .map(({ digit }) => digit)
      .join("");
  await call.waitFor(() => received().length >= digits.length, limitMs);
  // A digit too many is as wrong as one that is missing, so listen a little longer.
  if (!call.hasEnded) await settle(call);
  if (received() === digits) return `digits "${digits}"`;
  throw new ExpectationError(
    "ERR_DIGITS_DIFFER",
    `Expected the digits "${digits}" within ${formatMs(limitMs)}, received "${received()}".`,
    { context: { digits, received: received(), limitMs } },
  );
}

/** What the caller's attempt came to: answered, or ended without. */
async function awaitOutcome(
  call: WatchedCall,
  limitMs: number,
): Promise<FactOf<"callPhase"> | undefined> {
  const fact = await call.waitFor(
    (each) =>
      each.party === "caller" &&
      each.kind === "callPhase" &&
      (each.phase === "ended" || each.phase === "answered"),
    limitMs,
    dialedAt(call)?.at,
  );
  return fact as FactOf<"callPhase"> | undefined;
}

function describeOutcome(call: WatchedCall, fact: FactOf<"callPhase"> | undefined): string {
  if (fact === undefined) return `nothing final came (last seen: ${lastResponse(call)})`;
  if (fact.phase === "answered") return "it was answered";
  const faults = call.timeline.of("fault").map(({ code, message }) => ` ${code}: ${message}`);
  return `it ended: ${describeEnd(fact)}${faults.join("")}`;
}

function lastResponse(call: WatchedCall): string {
  const last = call.timeline
    .of("sipMessage")
    .findLast(({ direction, party }) => direction === "received" && party === "caller");
  return last === undefined ? "no SIP message at all" : last.startLine;
}
