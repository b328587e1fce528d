import { parseDocument } from "yaml";
import { z } from "zod";
import { spokenForm } from "../audio/index.ts";
import { UsageError } from "../environment/index.ts";
import type { CallMetrics } from "../measure/index.ts";
import type { Fact, Party } from "../timeline/index.ts";
import { endOf, type SpokenText, spokenTexts } from "./transcript.ts";

const text = z.string().trim().min(1);
const party = z.enum(["bot", "caller"]);
const says = z.strictObject({ says: text, by: party.default("bot") });
const calls = z.strictObject({ calls: text, with: z.record(z.string(), z.unknown()).default({}) });

const rule: z.ZodType<Rule> = z.union([
  z.strictObject({ goalReached: z.boolean() }),
  says,
  z.strictObject({ neverSays: text, by: party.default("bot") }),
  calls,
  z.strictObject({ neverCalls: text }),
  z.strictObject({ order: z.array(z.union([says, calls])).min(2) }),
  z.strictObject({ turnsAtMost: z.int().min(1) }),
  z.strictObject({ answersWithinMs: z.number().positive() }),
]);

/** The shape of a list of rules. */
const RULES_SCHEMA: z.ZodType<readonly Rule[]> = z.array(rule);

/** What must hold of a tester's call. A text is contained in what was said, or a /pattern/ fits it. */
export type Rule =
  | { readonly goalReached: boolean }
  | Says
  | { readonly neverSays: string; readonly by: Party }
  | Calls
  | { readonly neverCalls: string }
  | { readonly order: readonly (Says | Calls)[] }
  | { readonly turnsAtMost: number }
  | { readonly answersWithinMs: number };

/** Somebody says this. */
interface Says {
  readonly says: string;
  readonly by: Party;
}

/** The bot calls this tool, with at least these arguments. */
interface Calls {
  readonly calls: string;
  readonly with: Readonly<Record<string, unknown>>;
}

/** What a rule came to, in one call. */
export interface RuleVerdict {
  /** In words: what had to hold. */
  readonly rule: string;
  readonly outcome: "held" | "broken";
  /** What was seen. */
  readonly observed: string;
}

/** A call as rules look at it. */
export interface JudgedCall {
  readonly facts: readonly Fact[];
  readonly metrics: CallMetrics;
}

/** @throws UsageError ERR_RULES_MALFORMED. */
export function rulesOf(value: unknown): readonly Rule[] {
  const parsed = RULES_SCHEMA.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where =
    issue === undefined || issue.path.length === 0 ? "" : ` (entry ${Number(issue.path[0]) + 1})`;
  throw new UsageError(
    "ERR_RULES_MALFORMED",
    `These are no rules for a call${where}. Give a list of: goalReached, says, neverSays, calls, neverCalls, order, turnsAtMost, answersWithinMs. See docs/ai-tester.md.`,
  );
}

/** The same of a text of YAML. @throws UsageError ERR_RULES_MALFORMED. */
export function readRules(yamlText: string): readonly Rule[] {
  const document = parseDocument(yamlText, { prettyErrors: false });
  return rulesOf(document.errors.length === 0 ? document.toJS() : undefined);
}

/** In words, for people. */
export function ruleText(each: Rule): string {
  if ("goalReached" in each) return each.goalReached ? "the goal is reached" : "the goal is missed";
  if ("says" in each) return `the ${each.by} says "${each.says}"`;
  if ("neverSays" in each) return `the ${each.by} never says "${each.neverSays}"`;
  if ("calls" in each) {
    const args = Object.keys(each.with).length === 0 ? "" : ` with ${JSON.stringify(each.with)}`;
    return `the bot calls ${each.calls}${args}`;
  }
  if ("neverCalls" in each) return `the bot never calls ${each.neverCalls}`;
  if ("order" in each) return `in this order: ${each.order.map(ruleText).join(", then ")}`;
  if ("turnsAtMost" in each) return `at most ${each.turnsAtMost} turns of the tester`;
  return `every answer within ${each.answersWithinMs} ms`;
}

/** Whether a rule holds of a call that is over. */
export function judgeRule(each: Rule, call: JudgedCall): RuleVerdict {
  const [held, observed] = findingOn(each, call);
  return { rule: ruleText(each), outcome: held ? "held" : "broken", observed };
}

type Finding = readonly [held: boolean, observed: string];

function findingOn(each: Rule, call: JudgedCall): Finding {
  if ("goalReached" in each) return goalFinding(each.goalReached, call.facts);
  if ("turnsAtMost" in each) {
    const turns = endOf(call.facts)?.turns ?? 0;
    return [turns <= each.turnsAtMost, `${turns} turns`];
  }
  if ("answersWithinMs" in each) return answerFinding(each.answersWithinMs, call.metrics);
  if ("order" in each) return orderFinding(each.order, call.facts);
  if ("neverSays" in each || "neverCalls" in each) return neverFinding(each, call.facts);
  const found = occurrences(each, call.facts);
  if (found.length > 0) return [true, "says" in each ? "said" : "called"];
  return [false, "says" in each ? "not said" : calledInstead(call.facts)];
}

/** What must not be said counts, whoever of the two AIs heard it. */
function neverFinding(
  each: Extract<Rule, { readonly neverSays: string } | { readonly neverCalls: string }>,
  facts: readonly Fact[],
): Finding {
  const found =
    "neverSays" in each
      ? occurrences({ says: each.neverSays, by: each.by }, facts, "anyone's word")
      : occurrences({ calls: each.neverCalls, with: {} }, facts);
  return [found.length === 0, `${found.length} times`];
}

function goalFinding(wanted: boolean, facts: readonly Fact[]): Finding {
  const { goalReached, endedBy, limit } = endOf(facts) ?? {};
  const ended = `ended by ${limit === undefined ? (endedBy ?? "nobody") : `the limit ${limit}`}`;
  if (goalReached === undefined) return [false, `the tester never said how it stands; ${ended}`];
  return [goalReached === wanted, `${goalReached ? "reached" : "missed"}; ${ended}`];
}

function answerFinding(limitMs: number, { turns }: CallMetrics): Finding {
  const latencies = turns.flatMap(({ responseLatencyMs: ms }) => (ms === undefined ? [] : [ms]));
  // After the tester's last words there need not be an answer: it may have been a goodbye.
  const missed = turns.slice(0, -1).filter(({ outcome }) => outcome === "missed").length;
  if (latencies.length === 0) return [false, "no answer was heard"];
  const worst = Math.max(...latencies);
  return [worst <= limitMs && missed === 0, `slowest ${Math.round(worst)} ms, ${missed} missing`];
}

type Deed = Says | Calls;

/** Each deed after the one before it, the first possible each time. */
function orderFinding(deeds: readonly Deed[], facts: readonly Fact[]): Finding {
  let after = Number.NEGATIVE_INFINITY;
  for (const deed of deeds) {
    const next = occurrences(deed, facts).find((at) => at > after);
    if (next === undefined) return [false, `not in its place: ${ruleText(deed)}`];
    after = next;
  }
  return [true, "in this order"];
}

/**
 * When this was done.
 * @param witness of the bot's words: what the tester heard, where it heard any; or whoever's word.
 */
function occurrences(
  deed: Deed,
  facts: readonly Fact[],
  witness: "best" | "anyone's word" = "best",
): number[] {
  if ("says" in deed) {
    const texts = spokenTexts(facts, witness).filter(({ by }) => by === deed.by);
    return momentsOf(deed.says, texts);
  }
  return facts.flatMap((fact) =>
    fact.kind === "toolCall" &&
    fact.party === "bot" &&
    fact.event === "called" &&
    fact.name === deed.calls &&
    hasFields(fact.arguments, deed.with)
      ? [fact.at]
      : [],
  );
}

/** When a text was said: within one piece of transcript, or across neighbours of one speaker. */
function momentsOf(wanted: string, texts: readonly SpokenText[]): number[] {
  const pattern = /^\/(.+)\/$/su.exec(wanted)?.[1];
  const isIn =
    pattern === undefined
      ? (heard: string) => `-${spokenForm(heard)}-`.includes(`-${spokenForm(wanted)}-`)
      : (heard: string) => patternOf(pattern).test(heard);
  return texts.flatMap(({ text: heard, at }, index) => {
    if (isIn(heard)) return [at];
    const before = texts[index - 1];
    return before !== undefined && !isIn(before.text) && isIn(`${before.text} ${heard}`)
      ? [at]
      : [];
  });
}

/** @throws UsageError ERR_RULES_MALFORMED. */
function patternOf(source: string): RegExp {
  try {
    return new RegExp(source, "iu");
  } catch (cause) {
    throw new UsageError("ERR_RULES_MALFORMED", "A pattern in a rule is no regular expression.", {
      cause,
    });
  }
}

function hasFields(
  observed: Readonly<Record<string, unknown>>,
  wanted: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(wanted).every(
    ([key, value]) => JSON.stringify(observed[key]) === JSON.stringify(value),
  );
}

function calledInstead(facts: readonly Fact[]): string {
  const names = facts.flatMap((fact) =>
    fact.kind === "toolCall" && fact.party === "bot" && fact.event === "called" ? [fact.name] : [],
  );
  return names.length === 0 ? "no tool was called" : `called: ${names.join(", ")}`;
}
