import type { Fact } from "../timeline/index.ts";
import { measureAiUsage } from "./ai-usage.ts";
import type { CallMetrics, JudgementMetrics, TesterMetrics } from "./call-metrics.ts";
import { factsOf } from "./facts-of.ts";
import type { Interval } from "./interval.ts";
import { optional } from "./optional.ts";
import { wilsonInterval } from "./statistics.ts";

/** In how many of several calls every rule held. */
export interface PassRate {
  readonly passed: number;
  readonly total: number;
  /** Wilson, 95 %. */
  readonly interval?: Interval;
}

/** `undefined` where no tester placed this call. */
export function measureTester(facts: readonly Fact[]): TesterMetrics | undefined {
  const told = factsOf(facts, "tester");
  if (told.length === 0) return undefined;
  const ended = told.find(({ event }) => event === "ended");
  const goal = ended ?? told.findLast(({ event }) => event === "goal");
  return {
    ...optional("persona", told.find(({ persona }) => persona !== undefined)?.persona),
    ...optional("endedBy", ended?.endedBy),
    ...optional("limit", ended?.limit),
    ...optional("goalReached", goal?.goalReached),
    ...optional("reason", goal?.reason),
    ...optional("turns", ended?.turns),
    ...optional("ai", measureAiUsage(factsOf(facts, "aiUsage", "caller"))),
  };
}

/** `undefined` where nothing was asked of the call. */
export function judgementsOf(facts: readonly Fact[]): readonly JudgementMetrics[] | undefined {
  const found = factsOf(facts, "judgement").map(
    ({ kind: _kind, party: _party, at: _at, ...judgement }) => judgement,
  );
  return found.length === 0 ? undefined : found;
}

/** Over the calls of one scenario; `undefined` where they did not have to pass by rules. */
export function passRateOf(
  calls: readonly Pick<CallMetrics, "judgements">[],
): PassRate | undefined {
  const judged = calls
    .map(({ judgements = [] }) => judgements.filter(({ isOfRepeats }) => isOfRepeats === true))
    .filter((rules) => rules.length > 0);
  if (judged.length === 0) return undefined;
  const passed = judged.filter((rules) => rules.every(({ outcome }) => outcome === "held")).length;
  const total = judged.length;
  return { passed, total, ...optional("interval", wilsonInterval(passed, total)) };
}

/** "3 of 5 calls passed (the true rate lies between 23 % and 88 %, 95 %)" */
export function passRateWords({ passed, total, interval }: PassRate): string {
  const range =
    interval === undefined
      ? ""
      : ` (the true rate lies between ${percent(interval.low)} and ${percent(interval.high)}, 95 %)`;
  return `${passed} of ${total} calls passed${range}`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
