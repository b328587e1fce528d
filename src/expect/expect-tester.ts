import type { WatchedCall } from "../call/index.ts";
import {
  EnvironmentError,
  ExpectationError,
  elapsedMs,
  RemoteError,
  UsageError,
} from "../environment/index.ts";
import { formatMs } from "../measure/index.ts";
import { endOf, judgeRule, type Rule, type RuleVerdict, ruleText } from "../tester/index.ts";
import type { FactOf } from "../timeline/index.ts";
import { measureNow } from "./watch.ts";

/** Longer than any tester may take: it ends its calls itself. */
const TESTER_LIMIT_MS = 300_000;

/**
 * Waits until the tester's call is over.
 * @throws UsageError ERR_NO_TESTER; what made it impossible to call at all; RemoteError ERR_TESTER_FAILED.
 */
export async function awaitTesterEnd(
  call: WatchedCall,
  limitMs: number = TESTER_LIMIT_MS,
): Promise<FactOf<"tester"> | undefined> {
  requireTester(call);
  await call.waitFor((fact) => fact.kind === "tester" && fact.event === "ended", limitMs);
  const ended = endOf(call.timeline.facts);
  if (ended?.endedBy === "error") throw failureOf(call);
  return ended;
}

/**
 * The tester reaches its goal, or misses it, within `limitMs` of the call's answer, by its own word.
 * @throws ExpectationError ERR_GOAL_NOT_REACHED, ERR_GOAL_NOT_MISSED; as `awaitTesterEnd`.
 */
export async function expectGoal(
  call: WatchedCall,
  limitMs: number,
  wanted: "reached" | "missed" = "reached",
): Promise<string> {
  requireTester(call);
  const answered = call.timeline.of("callPhase").find(({ phase }) => phase === "answered");
  const from = answered?.at ?? call.clock.now();
  const said = await call.waitFor(
    (fact) => fact.kind === "tester" && (fact.event === "ended" || fact.goalReached !== undefined),
    limitMs,
    from,
  );
  if (endOf(call.timeline.facts)?.endedBy === "error") throw failureOf(call);
  const told = call.timeline.of("tester").findLast((fact) => fact.goalReached !== undefined);
  const tookMs = told === undefined ? Number.POSITIVE_INFINITY : elapsedMs(from, told.at);
  if (told?.goalReached === (wanted === "reached") && tookMs <= limitMs) {
    return `${wanted} after ${formatMs(tookMs)}`;
  }
  throw otherGoal(call, { limitMs, wanted, told, isLate: said === undefined });
}

function otherGoal(
  call: WatchedCall,
  seen: {
    readonly limitMs: number;
    readonly wanted: "reached" | "missed";
    readonly told: FactOf<"tester"> | undefined;
    readonly isLate: boolean;
  },
): ExpectationError {
  const { limitMs, wanted, told, isLate } = seen;
  const ended = endOf(call.timeline.facts);
  return new ExpectationError(
    wanted === "reached" ? "ERR_GOAL_NOT_REACHED" : "ERR_GOAL_NOT_MISSED",
    `The tester's goal was to be ${wanted} within ${formatMs(limitMs)}, but ${describe(told, ended, isLate)}.`,
    { context: { limitMs, endedBy: ended?.endedBy, turns: ended?.turns } },
  );
}

/**
 * What must hold of the tester's call holds, once it is over.
 * @throws ExpectationError ERR_RULE_BROKEN; as `awaitTesterEnd`.
 */
export async function expectRule(call: WatchedCall, rule: Rule): Promise<string> {
  await awaitTesterEnd(call);
  const { record, metrics } = await measureNow(call);
  const verdict = judgeRule(rule, { facts: record.facts, metrics });
  noteRule(call, verdict);
  const { outcome, observed } = verdict;
  if (outcome === "held") return observed;
  throw new ExpectationError(
    "ERR_RULE_BROKEN",
    `Expected of the tester's call that ${ruleKind(rule)}, but: ${observed}.`,
    { context: { rule: ruleText(rule) } },
  );
}

/** What a rule came to is kept with the call; once, however often it is asked. */
export function noteRule(
  call: WatchedCall,
  { rule: question, outcome, observed: reason }: RuleVerdict,
  more: Pick<FactOf<"judgement">, "isOfRepeats"> = {},
): void {
  const isKnown = call.timeline
    .of("judgement")
    .some(
      (fact) =>
        fact.source === "rule" &&
        fact.question === question &&
        fact.outcome === outcome &&
        fact.isOfRepeats === more.isOfRepeats,
    );
  if (isKnown) return;
  const at = call.clock.now();
  const found = { source: "rule", question, outcome, reason, ...more } as const;
  call.timeline.add({ kind: "judgement", party: "caller", ...found, at });
}

/**
 * The tester was stopped by this limit.
 * @throws ExpectationError ERR_LIMIT_NOT_REACHED; as `awaitTesterEnd`.
 */
export async function expectLimit(
  call: WatchedCall,
  limit: NonNullable<FactOf<"tester">["limit"]>,
): Promise<string> {
  const ended = await awaitTesterEnd(call);
  if (ended?.limit === limit) return `stopped by ${limit}`;
  throw new ExpectationError(
    "ERR_LIMIT_NOT_REACHED",
    `Expected the tester to be stopped by the limit ${limit}, but ${describe(undefined, ended, ended === undefined)}.`,
    { context: { limit, endedBy: ended?.endedBy } },
  );
}

/** Transcripts do not belong in messages: what had to be said is in the scenario. */
function ruleKind(rule: Rule): string {
  if ("says" in rule) return `the ${rule.by} says a certain text`;
  if ("neverSays" in rule) return `the ${rule.by} never says a certain text`;
  return ruleText(rule);
}

function describe(
  told: FactOf<"tester"> | undefined,
  ended: FactOf<"tester"> | undefined,
  isLate: boolean,
): string {
  const word =
    told?.goalReached === undefined
      ? "it never said how its goal stands"
      : `it says that the goal was ${told.goalReached ? "reached" : "missed"}`;
  if (ended === undefined) return isLate ? `${word} in that time, and the call went on` : word;
  const by =
    ended.limit === undefined
      ? ENDED_BY[ended.endedBy ?? "error"]
      : `by its limit "${ended.limit}"`;
  return `${word}; the call was ended ${by} after ${ended.turns ?? 0} turns`;
}

const ENDED_BY: Readonly<Record<NonNullable<FactOf<"tester">["endedBy"]>, string>> = {
  tester: "by the tester",
  bot: "by the bot",
  limit: "by a limit",
  silence: "by the tester because nobody spoke",
  scenario: "by the scenario",
  error: "by an error",
};

function requireTester(call: WatchedCall): void {
  if (call.timeline.of("tester").length > 0) return;
  throw new UsageError(
    "ERR_NO_TESTER",
    'No AI tester placed this call. Begin with "Given the tester …" and "When the tester calls the bot".',
  );
}

/** The tester could not play its part: whose fault that is, its AI's error says. */
function failureOf(call: WatchedCall): Error {
  const fault = call.timeline.of("fault").find(({ party }) => party === "caller");
  const code = fault?.code ?? "ERR_TESTER_FAILED";
  const message = `The tester's call failed: ${fault?.message ?? "it ended by an error."}`;
  if (fault?.fault === "usage") return new UsageError(code, message);
  if (fault?.fault === "environment") return new EnvironmentError(code, message);
  return new RemoteError(code, message);
}
