import type { Instant } from "../environment/index.ts";
import type { Party } from "../timeline/index.ts";
import type { ConversationMetrics, DeadAir } from "./call-metrics.ts";
import { factsOf } from "./facts-of.ts";
import type { Observations } from "./observations.ts";
import { optional } from "./optional.ts";
import { betweenMs, overlapMs, roundMs, type TimeSpan, totalMs } from "./time-spans.ts";

/** A silence of both above this is dead air. */
export const DEAD_AIR_MS = 2000;
/** The same where a tool was called in it. */
export const DEAD_AIR_WITH_TOOL_MS = 3000;

/** Who spoke how much, and how the two took turns. */
export function measureConversation(seen: Observations): ConversationMetrics {
  const caller = seen.callerTurns.map(({ onsetAt, offsetAt }) => spanOf(onsetAt, offsetAt));
  const bot = seen.botTurns.flatMap(({ segments }) => segments);
  const callerSpeechMs = totalMs(caller);
  const botSpeechMs = totalMs(bot);
  const talkOverMs = overlapOf(caller, bot);
  const speechMs = totalMs([...caller, ...bot]);
  const gaps = gapsOf(seen, caller, bot);
  return {
    callerSpeechMs,
    botSpeechMs,
    ...optional("talkRatio", callerSpeechMs > 0 ? botSpeechMs / callerSpeechMs : undefined),
    talkOverMs,
    talkOverRatio: speechMs > 0 ? talkOverMs / speechMs : 0,
    deadAir: gaps.filter(
      (gap) => gap.ms > (toolWithin(gap, seen) ? DEAD_AIR_WITH_TOOL_MS : DEAD_AIR_MS),
    ),
    longestGapMs: gaps.reduce((longest, { ms }) => Math.max(longest, ms), 0),
    agentInterruptions: countAgentInterruptions(seen),
    ...interruptionCounts(seen),
  };
}

/** An interruption follows the caller's words within this: detection, network, buffers. */
const INTERRUPTION_WITHIN_MS = 700;

/** How often the bot was cut off, and how often although the caller had said nothing. */
function interruptionCounts(
  seen: Observations,
): Pick<ConversationMetrics, "botInterrupted" | "falseInterruptions"> {
  const cuts = factsOf(seen.facts, "interruption", "bot");
  if (cuts.length === 0) return {};
  const isFalse = ({ at }: { readonly at: Instant }): boolean =>
    !seen.callerTurns.some(
      ({ onsetAt, offsetAt }) => onsetAt <= at && betweenMs(offsetAt, at) <= INTERRUPTION_WITHIN_MS,
    );
  return { botInterrupted: cuts.length, falseInterruptions: cuts.filter(isFalse).length };
}

function spanOf(startAt: Instant, endAt: Instant): TimeSpan {
  return { startAt, endAt };
}

function overlapOf(caller: readonly TimeSpan[], bot: readonly TimeSpan[]): number {
  let sum = 0;
  for (const own of caller) {
    for (const other of bot) sum += overlapMs(own, other);
  }
  return roundMs(sum);
}

/**
 * Silences of both between speech; after the caller's last word also up to the end of the call,
 * because the bot was due. After the bot's last word nobody was.
 */
function gapsOf(
  seen: Observations,
  caller: readonly TimeSpan[],
  bot: readonly TimeSpan[],
): DeadAir[] {
  const spans = [
    ...caller.map((span) => ({ span, by: "caller" as Party })),
    ...bot.map((span) => ({ span, by: "bot" as Party })),
  ].toSorted((a, b) => a.span.startAt - b.span.startAt);
  const gaps: DeadAir[] = [];
  let last: { endAt: Instant; by: Party } | undefined;
  for (const { span, by } of spans) {
    if (last !== undefined && span.startAt > last.endAt) {
      gaps.push(gapOf(last.endAt, span.startAt, last.by));
    }
    if (last === undefined || span.endAt > last.endAt) last = { endAt: span.endAt, by };
  }
  if (last?.by === "caller" && seen.endAt > last.endAt) {
    gaps.push(gapOf(last.endAt, seen.endAt, "caller"));
  }
  return gaps;
}

function gapOf(startAt: Instant, endAt: Instant, by: Party): DeadAir {
  return { startAt, endAt, ms: betweenMs(startAt, endAt), after: by };
}

function toolWithin(gap: TimeSpan, seen: Observations): boolean {
  return factsOf(seen.facts, "toolCall").some(
    ({ event, at }) => event === "called" && gap.startAt <= at && at <= gap.endAt,
  );
}

function countAgentInterruptions(seen: Observations): number {
  return seen.botTurns.filter(({ startAt }) =>
    seen.callerTurns.some(
      ({ purpose, onsetAt, offsetAt }) =>
        purpose === "speech" && onsetAt < startAt && startAt < offsetAt,
    ),
  ).length;
}
