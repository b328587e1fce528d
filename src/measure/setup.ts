import { type Instant, instant } from "../environment/index.ts";
import type { CallPhaseFact, Fact, Party } from "../timeline/index.ts";
import type { SetupMetrics } from "./call-metrics.ts";
import { nextOnsetAfter } from "./caller-turns.ts";
import { factsOf } from "./facts-of.ts";
import type { Observations } from "./observations.ts";
import { optional } from "./optional.ts";
import { betweenMs } from "./time-spans.ts";

/** How the call came up and ended, by the caller's facts, or by the bot's where it has none. */
export function measureSetup(seen: Observations): SetupMetrics {
  const phases = phasesOf(seen.facts);
  const find = (phase: CallPhaseFact["phase"]): CallPhaseFact | undefined =>
    phases.find((fact) => fact.phase === phase);
  const dialedAt = (find("dialed") ?? find("offered"))?.at;
  const answeredAt = find("answered")?.at;
  const ended = find("ended");
  return {
    ...optional("dialedAt", dialedAt),
    ...optional("answeredAt", answeredAt),
    ...optional("endedAt", ended?.at),
    ...optional("postDialDelayMs", gap(dialedAt, find("ringing")?.at ?? answeredAt)),
    ...optional("answerTimeMs", gap(dialedAt, answeredAt)),
    ...optional("greetingLatencyMs", gap(answeredAt, greetingOnset(seen, answeredAt))),
    ...optional("durationMs", gap(answeredAt, ended?.at)),
    ...optional("endedBy", ended?.endedBy),
    ...optional("endReason", ended?.reason),
  };
}

/**
 * The bot's first onset, where it spoke before the caller did. What it sent as early media, a
 * ringback tone or an announcement, is no greeting.
 */
function greetingOnset(seen: Observations, answeredAt: Instant | undefined): Instant | undefined {
  const isLater = (turn: { readonly startAt: Instant }): boolean =>
    answeredAt === undefined || turn.startAt >= answeredAt;
  const onset = seen.botTurns.find(isLater)?.startAt;
  if (onset === undefined) return undefined;
  const callerOnset = nextOnsetAfter(seen.callerTurns, instant(Number.NEGATIVE_INFINITY));
  return callerOnset === undefined || onset < callerOnset ? onset : undefined;
}

function phasesOf(facts: readonly Fact[]): CallPhaseFact[] {
  const of = (party: Party): CallPhaseFact[] => factsOf(facts, "callPhase", party);
  const callers = of("caller");
  return callers.length > 0 ? callers : of("bot");
}

function gap(from: Instant | undefined, to: Instant | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : betweenMs(from, to);
}
