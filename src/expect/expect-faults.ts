import type { WatchedCall } from "../call/index.ts";
import { ExpectationError, UsageError } from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";
import type { Fact, FactOf, Party } from "../timeline/index.ts";
import { describeEnd } from "./end.ts";
import { injectedText, timesText } from "./injected.ts";
import { requireParty } from "./watch.ts";

/**
 * A fault that the scenario asked for happened at least so often.
 * @throws ExpectationError ERR_FAULT_COUNT.
 */
export async function expectInjected(
  call: WatchedCall,
  wanted: { readonly name: string; readonly atLeast: number; readonly limitMs: number },
): Promise<string> {
  const { name, atLeast, limitMs } = wanted;
  const count = await countOf(call, limitMs, atLeast, (fact) => isInjected(fact, name));
  if (count >= atLeast) return `${name}: ${timesText(count)}`;
  throw new ExpectationError(
    "ERR_FAULT_COUNT",
    `Expected "${name}" to be done at least ${timesText(atLeast)} within ${formatMs(limitMs)}; it was ${count === 0 ? "never" : timesText(count)}.${injectedText(call)}`,
    { context: { ...wanted, count } },
  );
}

/**
 * A side sends a message again, at least so often: by its timers, because no answer came.
 * @param wanted.message a method, or the status of a response to INVITE.
 * @throws ExpectationError ERR_NOT_REPEATED.
 */
export async function expectRepeated(
  call: WatchedCall,
  wanted: {
    readonly party: Party;
    readonly message: string | number;
    readonly atLeast: number;
    readonly limitMs: number;
  },
): Promise<string> {
  const { party, message, atLeast, limitMs } = wanted;
  // Of a bot that is not ours, what the caller received.
  const isOurs = call.parties.includes(party);
  const viewer = isOurs ? party : otherOf(party);
  const count = await countOf(
    call,
    limitMs,
    atLeast,
    (fact) =>
      fact.kind === "sipMessage" &&
      fact.party === viewer &&
      fact.direction === (isOurs ? "sent" : "received") &&
      fact.retransmission === true &&
      isMessage(fact, message),
  );
  if (count >= atLeast) return `${message} was repeated ${timesText(count)}`;
  throw new ExpectationError(
    "ERR_NOT_REPEATED",
    `Expected the ${party} to repeat its ${message} at least ${timesText(atLeast)} within ${formatMs(limitMs)}; it did so ${count === 0 ? "never" : timesText(count)}.${injectedText(call)}`,
    { context: { ...wanted, count } },
  );
}

/**
 * The call ends at one side for this reason, or with this fault.
 * @param wanted.reason a reason of `callPhase` ("bye", "noAnswer") or a code ("ERR_SIP_ACK_MISSING").
 * @throws ExpectationError ERR_END_DIFFERS; UsageError ERR_BOT_NOT_OURS.
 */
export async function expectEndAt(
  call: WatchedCall,
  wanted: { readonly party: Party; readonly reason: string; readonly limitMs: number },
): Promise<string> {
  const { party, reason, limitMs } = wanted;
  requireParty(call, party);
  const isOwnEnd = (fact: Fact): fact is FactOf<"callPhase"> =>
    fact.kind === "callPhase" && fact.phase === "ended" && fact.party === party;
  await call.waitFor(isOwnEnd, limitMs);
  const end = call.timeline.facts.find(isOwnEnd);
  const codes = call.timeline
    .of("fault")
    .filter((fact) => fact.party === party)
    .map(({ code }) => code);
  if (end !== undefined && (end.reason === reason || codes.includes(reason))) {
    return `${describeEnd(end)}${codes.length === 0 ? "" : `: ${codes.join(", ")}`}`;
  }
  const observed = end === undefined ? "it did not end" : `it ended: ${describeEnd(end)}`;
  const seen = codes.length === 0 ? "" : `, with ${codes.join(", ")}`;
  throw new ExpectationError(
    "ERR_END_DIFFERS",
    `Expected the call to end at the ${party} with "${reason}" within ${formatMs(limitMs)}, but ${observed}${seen}.${injectedText(call)}`,
    { context: { ...wanted, end, codes } },
  );
}

/**
 * For the end of a scenario: what it asked to go wrong must have gone wrong, or it proves nothing.
 * @throws UsageError ERR_FAULT_NOT_INJECTED.
 */
export function requireInjected(calls: readonly WatchedCall[], names: ReadonlySet<string>): void {
  const done = new Set(
    calls.flatMap((call) => call.timeline.of("sipFault").map(({ name }) => name)),
  );
  const missing = [...names].filter((name) => !done.has(name));
  if (missing.length === 0) return;
  throw new UsageError(
    "ERR_FAULT_NOT_INJECTED",
    `The scenario asks for "${missing.join('", "')}", but no message came to which that could be done, so it proves nothing of it. Let the call get that far.`,
    { context: { missing } },
  );
}

async function countOf(
  call: WatchedCall,
  limitMs: number,
  enough: number,
  matches: (fact: Fact) => boolean,
): Promise<number> {
  const count = (): number => call.timeline.facts.filter(matches).length;
  await call.waitFor((fact) => matches(fact) && count() >= enough, limitMs);
  return count();
}

function isInjected(fact: Fact, name: string): boolean {
  return fact.kind === "sipFault" && fact.name === name && fact.effect !== "released";
}

function isMessage(fact: FactOf<"sipMessage">, message: string | number): boolean {
  if (typeof message === "number") return fact.statusCode === message && fact.method === "INVITE";
  return fact.statusCode === undefined && fact.method === message;
}

function otherOf(party: Party): Party {
  return party === "caller" ? "bot" : "caller";
}
