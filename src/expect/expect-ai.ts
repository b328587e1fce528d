import type { WatchedCall } from "../call/index.ts";
import { ExpectationError } from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";
import type { Fact, FactOf } from "../timeline/index.ts";
import { lastUtterance, requireParty } from "./watch.ts";

/**
 * What the bot says after the caller's last words is played to its end within `limitMs`: nothing,
 * the echo of its own voice least of all, is taken for the caller.
 * @throws ExpectationError ERR_FALSE_INTERRUPTION, ERR_NOT_PLAYED; UsageError ERR_BOT_NOT_OURS.
 */
export async function expectUninterrupted(call: WatchedCall, limitMs: number): Promise<string> {
  requireParty(call, "bot");
  const since = lastUtterance(call)?.offsetAt;
  const isEnd = (fact: Fact): boolean =>
    fact.kind === "playout" &&
    (fact.event === "ended" || fact.event === "flushed") &&
    (since === undefined || fact.at >= since);
  const fact = await call.waitFor(isEnd, limitMs);
  if (fact?.kind !== "playout") {
    throw new ExpectationError(
      "ERR_NOT_PLAYED",
      `The bot had not finished its answer ${formatMs(limitMs)} after the step began.`,
      { context: { limitMs } },
    );
  }
  if (fact.event === "ended") return `played to its end: ${formatMs(fact.playedMs)}`;
  throw new ExpectationError(
    "ERR_FALSE_INTERRUPTION",
    `The bot was cut off ${formatMs(fact.playedMs)} into its answer although the caller said nothing; ${formatMs(fact.discardedMs ?? 0)} of it were thrown away.`,
    { context: { playedMs: fact.playedMs, discardedMs: fact.discardedMs, at: fact.at } },
  );
}

/**
 * A fault with this code stands on the call's timeline within `limitMs` of now.
 * @throws ExpectationError ERR_NO_SUCH_FAULT.
 */
export async function expectFault(
  call: WatchedCall,
  { code, limitMs }: { readonly code: string; readonly limitMs: number },
): Promise<string> {
  const isMeant = (fact: Fact): boolean => fact.kind === "fault" && fact.code === code;
  const fact = await call.waitFor(isMeant, limitMs);
  if (fact?.kind === "fault") return `${fact.code}: ${fact.message}`;
  const codes = call.timeline.of("fault").map((each) => each.code);
  throw new ExpectationError(
    "ERR_NO_SUCH_FAULT",
    `Expected the call to have the fault ${code} within ${formatMs(limitMs)}; it has ${codes.length === 0 ? "none" : codes.join(", ")}.`,
    { context: { expected: code, observed: codes } },
  );
}

/**
 * A caller who spoke over the bot was found in the audio here, before the provider said so
 * (`AiOptions.localBargeIn`), since the caller's last words began and within `limitMs` of now.
 * @throws ExpectationError ERR_NOT_NOTICED; UsageError ERR_BOT_NOT_OURS.
 */
export async function expectLocalBargeIn(call: WatchedCall, limitMs: number): Promise<string> {
  requireParty(call, "bot");
  const since = lastUtterance(call)?.onsetAt;
  const isOne = (fact: Fact): fact is FactOf<"interruption"> =>
    fact.kind === "interruption" && (since === undefined || fact.at >= since);
  await call.waitFor((fact) => isOne(fact) && fact.detectedBy === "local", limitMs);
  const found = call.timeline.facts.filter(isOne);
  const local = found.find(({ detectedBy }) => detectedBy === "local");
  if (local !== undefined) return `noticed after ${formatMs(local.speechMs ?? 0)} of speech`;
  const observed =
    found.length === 0 ? "nobody interrupted it" : "only the provider noticed the interruption";
  throw new ExpectationError(
    "ERR_NOT_NOTICED",
    `Expected the bot to notice the interruption itself within ${formatMs(limitMs)}; ${observed}.`,
    { context: { limitMs, observed } },
  );
}

/**
 * The bot's lost session with its AI goes on, or another one has taken its place.
 * @throws ExpectationError ERR_AI_NOT_RESUMED; UsageError ERR_BOT_NOT_OURS.
 */
export async function expectAiResumed(call: WatchedCall, limitMs: number): Promise<string> {
  requireParty(call, "bot");
  const fact = await call.waitFor((each) => isOfBot(each) && each.event === "resumed", limitMs);
  const events = call.timeline.facts.filter(isOfBot).map(({ event }) => event);
  if (fact !== undefined) return events.join(", ");
  throw new ExpectationError(
    "ERR_AI_NOT_RESUMED",
    `Expected the bot's session with its AI to be resumed within ${formatMs(limitMs)}; what is known of it: ${events.join(", ")}.`,
    { context: { limitMs, observed: events } },
  );
}

function isOfBot(fact: Fact): fact is FactOf<"aiSession"> {
  return fact.kind === "aiSession" && fact.party === "bot";
}
