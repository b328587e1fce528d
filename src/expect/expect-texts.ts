import type { RemoteAgent, WatchedCall } from "../call/index.ts";
import { ExpectationError, elapsedMs, type Instant } from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";
import { headerValues } from "../sip-syntax/index.ts";
import type { Fact, FactOf, Party } from "../timeline/index.ts";
import { injectedText } from "./injected.ts";
import { requireParty } from "./watch.ts";

/** A text that is awaited. */
export interface WantedText {
  readonly party: Party;
  readonly text: string;
  readonly limitMs: number;
}

/**
 * This text comes to one side by SIP MESSAGE within the call.
 * @throws ExpectationError ERR_TEXT_NOT_RECEIVED; UsageError ERR_BOT_NOT_OURS.
 */
export async function expectText(call: WatchedCall, wanted: WantedText): Promise<string> {
  const { party, text, limitMs } = wanted;
  requireParty(call, party);
  const isReceived = (fact: Fact): fact is FactOf<"textMessage"> =>
    fact.kind === "textMessage" && fact.party === party && fact.direction === "received";
  const found = await call.waitFor((fact) => isReceived(fact) && fact.text === text, limitMs);
  if (found !== undefined) return `the ${party} received the message`;
  const count = call.timeline.facts.filter(isReceived).length;
  throw notReceived(wanted, `${count} within the call`, injectedText(call));
}

/**
 * This text comes to an agent by SIP MESSAGE outside of calls, after `from`.
 * @throws ExpectationError ERR_TEXT_NOT_RECEIVED.
 */
export async function expectTextOutside(
  agent: RemoteAgent,
  wanted: WantedText & { readonly from: Instant },
): Promise<string> {
  const { party, text, limitMs, from } = wanted;
  const isNew = ({ at }: { readonly at: Instant }): boolean => elapsedMs(from, at) >= 0;
  const found = await agent.messages.whenReceived(
    (message) => isNew(message) && message.text === text,
    limitMs,
  );
  if (found !== undefined) return `the ${party} received the message outside of a call`;
  const count = agent.messages.received.filter(isNew).length;
  throw notReceived(wanted, `${count} outside of calls`, "");
}

/** What came instead may be private, so it is only counted. */
function notReceived(
  { party, limitMs }: WantedText,
  count: string,
  injected: string,
): ExpectationError {
  return new ExpectationError(
    "ERR_TEXT_NOT_RECEIVED",
    `Expected the ${party} to receive a certain text by SIP MESSAGE within ${formatMs(limitMs)}; it received ${count}, none like that.${injected}`,
    { context: { party, limitMs } },
  );
}

/** What an answer to OPTIONS must be like. */
export interface WantedOptionsAnswer {
  /** Who answers. */
  readonly party: Party;
  readonly limitMs: number;
  readonly statusCode?: number;
  /** A method that its Allow must name. */
  readonly allows?: string;
}

/**
 * One side answers OPTIONS of the other within the call, with this status, or this method in Allow.
 * @throws ExpectationError ERR_OPTIONS_ANSWER.
 */
export async function expectOptionsAnswer(
  call: WatchedCall,
  wanted: WantedOptionsAnswer,
): Promise<string> {
  const { party, limitMs, statusCode, allows } = wanted;
  const isAnswer = isOptionsAnswerOf(call, party);
  await call.waitFor(isAnswer, limitMs);
  const answer = call.timeline.facts.findLast(isAnswer);
  const allowed = answer === undefined ? [] : methodsIn(answer);
  const isAllowed = allows === undefined || allowed.includes(allows);
  const isStatus = statusCode === undefined || answer?.statusCode === statusCode;
  if (answer !== undefined && isAllowed && isStatus) {
    return `OPTIONS: ${answer.statusCode}, ${allowed.length} methods allowed`;
  }
  throw new ExpectationError(
    "ERR_OPTIONS_ANSWER",
    `Expected the ${party} to answer OPTIONS${wantedText(wanted)} within ${formatMs(limitMs)}, but ${seenText(answer)}.${injectedText(call)}`,
    { context: { ...wanted, observed: answer?.statusCode } },
  );
}

/** As it came to the other side, where that is ours, else as it was sent. */
function isOptionsAnswerOf(
  call: WatchedCall,
  party: Party,
): (fact: Fact) => fact is FactOf<"sipMessage"> {
  const asker: Party = party === "caller" ? "bot" : "caller";
  const isOurs = call.parties.includes(asker);
  const seen = isOurs ? { party: asker, direction: "received" } : { party, direction: "sent" };
  return (fact): fact is FactOf<"sipMessage"> =>
    fact.kind === "sipMessage" &&
    fact.party === seen.party &&
    fact.direction === seen.direction &&
    fact.method === "OPTIONS" &&
    (fact.statusCode ?? 0) >= 200;
}

function methodsIn({ text }: FactOf<"sipMessage">): string[] {
  return headerValues(text, "Allow").flatMap((value) =>
    value.split(",").map((method) => method.trim()),
  );
}

function wantedText({ statusCode, allows }: WantedOptionsAnswer): string {
  const status = statusCode === undefined ? "" : ` with ${statusCode}`;
  return allows === undefined ? status : `${status} and to allow ${allows}`;
}

function seenText(answer: FactOf<"sipMessage"> | undefined): string {
  if (answer === undefined) return "there was no answer";
  return `it was ${answer.statusCode} and allowed: ${methodsIn(answer).join(", ") || "nothing"}`;
}
