import type { Instant } from "../environment/index.ts";
import type { DigitFact, Fact, Party, SipMessageFact, ToolCallFact } from "../timeline/index.ts";
import type { ToolCallMetrics, WireEffect } from "./call-metrics.ts";
import { factsOf } from "./facts-of.ts";
import { optional } from "./optional.ts";
import { betweenMs } from "./time-spans.ts";

const EFFECT_OF: ReadonlyMap<string, WireEffect> = new Map([
  ["hangup_call", "bye"],
  ["transfer_call", "refer"],
  ["send_dtmf", "digits"],
]);

/** Each tool call of the bot and what it did on the SIP leg. */
export function measureToolCalls(facts: readonly Fact[]): ToolCallMetrics[] {
  const events = factsOf(facts, "toolCall");
  const called = events.filter(({ event }) => event === "called");
  return called.map((call, index) => {
    const next = called.slice(index + 1).find(({ name }) => name === call.name);
    const own = events.filter(({ toolCallId }) => toolCallId === call.toolCallId);
    return measureToolCall(call, own, factsBetween(facts, call.at, next?.at));
  });
}

function measureToolCall(
  call: ToolCallFact,
  own: readonly ToolCallFact[],
  following: readonly Fact[],
): ToolCallMetrics {
  const startedAt = own.find(({ event }) => event === "started")?.at;
  const expected = EFFECT_OF.get(call.name);
  const effect = expected === undefined ? undefined : effectOf(expected, call.party, following);
  const seenAt = effect?.receivedAt ?? effect?.sentAt;
  return {
    toolCallId: call.toolCallId,
    name: call.name,
    calledAt: call.at,
    arguments: call.arguments,
    outcome: outcomeOf(expected, seenAt, own),
    ...optional("expectedEffect", expected),
    ...optional("waitMs", startedAt === undefined ? undefined : betweenMs(call.at, startedAt)),
    ...optional("effectSentAt", effect?.sentAt),
    ...optional("effectReceivedAt", effect?.receivedAt),
    ...optional("effectLatencyMs", seenAt === undefined ? undefined : betweenMs(call.at, seenAt)),
    ...optional("effectSeenBy", effect && seenByOf(effect)),
    ...optional("digits", effect?.digits),
  };
}

interface Effect {
  readonly sentAt: Instant | undefined;
  readonly receivedAt: Instant | undefined;
  readonly digits?: string;
}

/** The first trace of the effect after the call, on either side. */
function effectOf(expected: WireEffect, bot: Party, facts: readonly Fact[]): Effect {
  const caller: Party = bot === "bot" ? "caller" : "bot";
  if (expected === "digits") {
    const received = digitsOf(facts, caller, "received");
    const sent = digitsOf(facts, bot, "sent");
    const seen = received.length > 0 ? received : sent;
    return {
      sentAt: sent[0]?.at,
      receivedAt: received[0]?.at,
      digits: seen.map(({ digit }) => digit).join(""),
    };
  }
  const method = expected === "bye" ? "BYE" : "REFER";
  return {
    sentAt: requestOf(facts, method, bot, "sent")?.at,
    receivedAt: requestOf(facts, method, caller, "received")?.at,
  };
}

function outcomeOf(
  expected: WireEffect | undefined,
  seenAt: Instant | undefined,
  own: readonly ToolCallFact[],
): ToolCallMetrics["outcome"] {
  if (seenAt !== undefined) return "effect";
  if (own.some(({ event }) => event === "failed")) return "failed";
  return expected === undefined ? "noWireEffectExpected" : "noEffect";
}

function seenByOf(effect: Effect): Party | undefined {
  if (effect.receivedAt !== undefined) return "caller";
  return effect.sentAt === undefined ? undefined : "bot";
}

function digitsOf(
  facts: readonly Fact[],
  party: Party,
  direction: DigitFact["direction"],
): DigitFact[] {
  return factsOf(facts, "digit", party).filter((fact) => fact.direction === direction);
}

function requestOf(
  facts: readonly Fact[],
  method: string,
  party: Party,
  direction: SipMessageFact["direction"],
): SipMessageFact | undefined {
  return factsOf(facts, "sipMessage", party).find(
    (fact) =>
      fact.method === method && fact.direction === direction && fact.statusCode === undefined,
  );
}

function factsBetween(facts: readonly Fact[], from: Instant, to: Instant | undefined): Fact[] {
  return facts.filter(({ at }) => at >= from && (to === undefined || at < to));
}
