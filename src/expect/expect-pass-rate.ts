import type { WatchedCall } from "../call/index.ts";
import { ExpectationError, UsageError } from "../environment/index.ts";
import { passRateWords, wilsonInterval } from "../measure/index.ts";
import { judgeRule, type Rule, type RuleVerdict, ruleText } from "../tester/index.ts";
import { awaitTesterEnd, noteRule } from "./expect-tester.ts";
import { measureNow } from "./watch.ts";

/** Without a word about the goal, it has to be reached. */
const GOAL: Rule = { goalReached: true };

/**
 * Of the tester's calls so many pass: in each of them every rule holds. That the goal is reached is
 * a rule, unless one says otherwise.
 * @throws ExpectationError ERR_PASS_RATE; UsageError ERR_REPEATS_DIFFER; as `awaitTesterEnd`.
 */
export async function expectPassRate(
  calls: readonly WatchedCall[],
  rules: readonly Rule[],
  wanted: { readonly atLeast: number; readonly of: number },
): Promise<string> {
  const { atLeast, of } = wanted;
  if (calls.length !== of || atLeast > of) {
    throw new UsageError(
      "ERR_REPEATS_DIFFER",
      `The step is about ${atLeast} of ${of} calls, but the tester has placed ${calls.length}.`,
      { context: { atLeast, of, placed: calls.length } },
    );
  }
  const all = rules.some((rule) => "goalReached" in rule) ? rules : [GOAL, ...rules];
  const verdicts = await Promise.all(calls.map((call) => verdictsOn(call, all)));
  const passed = verdicts.filter((each) => each.every(({ outcome }) => outcome === "held")).length;
  const interval = wilsonInterval(passed, of);
  const text = passRateWords({
    passed,
    total: of,
    ...(interval === undefined ? {} : { interval }),
  });
  if (passed >= atLeast) return text;
  const broken = all.map((rule, index) => {
    const times = verdicts.filter((each) => each[index]?.outcome === "broken").length;
    return times === 0 ? [] : [`rule ${index + 1} (${kindOf(rule)}) was broken in ${times}`];
  });
  throw new ExpectationError(
    "ERR_PASS_RATE",
    `Expected at least ${atLeast} of ${of} calls to pass, but ${text}: ${broken.flat().join("; ")}.`,
    { context: { atLeast, of, passed, rules: all.map(ruleText) } },
  );
}

async function verdictsOn(call: WatchedCall, rules: readonly Rule[]): Promise<RuleVerdict[]> {
  await awaitTesterEnd(call);
  const { record, metrics } = await measureNow(call);
  return rules.map((rule) => {
    const verdict = judgeRule(rule, { facts: record.facts, metrics });
    noteRule(call, verdict, { isOfRepeats: true });
    return verdict;
  });
}

/** What was to be said is in the scenario, and not in a message. */
function kindOf(rule: Rule): string {
  return Object.keys(rule)[0] ?? "";
}
