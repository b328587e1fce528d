import { type Instant, instant } from "../environment/index.ts";
import type { CallPhaseFact, Fact, Party } from "../timeline/index.ts";
import type { SetupMetrics } from "./call-metrics.ts";
import { nextOnsetAfter } from "./caller-turns.ts";
import { certaintyOf, doubtOfTiming } from "./doubts.ts";
import { factsOf } from "./facts-of.ts";
import type { Observations } from "./observations.ts";
import { optional } from "./optional.ts";
import { betweenMs, spanBetween } from "./time-spans.ts";
import { onsetCertainty } from "./turns.ts";
import { unsteadyMs } from "./unsteady.ts";

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
    ...greetingOf(seen, answeredAt),
    ...optional("durationMs", gap(answeredAt, ended?.at)),
    ...optional("endedBy", ended?.endedBy),
    ...optional("endReason", ended?.reason),
  };
}

/**
 * From the answer to the bot's first onset, where it spoke before the caller did. What it sent as
 * early media, a ringback tone or an announcement, is no greeting.
 */
function greetingOf(
  seen: Observations,
  answeredAt: Instant | undefined,
): Pick<SetupMetrics, "greetingLatencyMs" | "greetingCertainty"> {
  if (answeredAt === undefined) return {};
  const turn = seen.botTurns.find(({ startAt }) => startAt >= answeredAt);
  if (turn === undefined) return {};
  const callerOnset = nextOnsetAfter(seen.callerTurns, instant(Number.NEGATIVE_INFINITY));
  if (callerOnset !== undefined && turn.startAt >= callerOnset) return {};
  const onset = onsetCertainty(turn);
  const ownMs = unsteadyMs(seen.unsteady, spanBetween(answeredAt, turn.startAt));
  return {
    greetingLatencyMs: betweenMs(answeredAt, turn.startAt),
    greetingCertainty: certaintyOf(
      [doubtOfTiming(ownMs), onset.doubt],
      [onset.uncertaintyMs, ownMs],
    ),
  };
}

function phasesOf(facts: readonly Fact[]): CallPhaseFact[] {
  const of = (party: Party): CallPhaseFact[] => factsOf(facts, "callPhase", party);
  const callers = of("caller");
  return callers.length > 0 ? callers : of("bot");
}

function gap(from: Instant | undefined, to: Instant | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : betweenMs(from, to);
}
