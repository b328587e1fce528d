import type { Fact } from "../timeline/index.ts";
import type { AiUsageMetrics, CallMetrics } from "./call-metrics.ts";
import { factsOf } from "./facts-of.ts";
import { optional } from "./optional.ts";

/** What the AI of one call used, by its own account; `undefined` where it gave none. */
export function measureAiUsage(facts: readonly Fact[]): AiUsageMetrics | undefined {
  const usages = factsOf(facts, "aiUsage");
  if (usages.length === 0) return undefined;
  const priced = usages.filter(({ costUsd }) => costUsd !== undefined);
  return {
    responses: usages.length,
    unpricedResponses: usages.length - priced.length,
    totalTokens: sum(usages.map(({ totalTokens }) => totalTokens)),
    inputTokens: sum(usages.map(({ inputTokens }) => inputTokens)),
    outputTokens: sum(usages.map(({ outputTokens }) => outputTokens)),
    ...optional("costUsd", priced.length === 0 ? undefined : sum(priced.map(costOf))),
    ...optional("prices", priced.at(-1)?.prices),
  };
}

/** The same over all calls of a run. */
export function aiUsageOf(calls: readonly CallMetrics[]): AiUsageMetrics | undefined {
  const usages = calls.flatMap(({ ai }) => (ai === undefined ? [] : [ai]));
  if (usages.length === 0) return undefined;
  const priced = usages.filter(({ costUsd }) => costUsd !== undefined);
  return {
    responses: sum(usages.map(({ responses }) => responses)),
    unpricedResponses: sum(usages.map(({ unpricedResponses }) => unpricedResponses)),
    totalTokens: sum(usages.map(({ totalTokens }) => totalTokens)),
    inputTokens: sum(usages.map(({ inputTokens }) => inputTokens)),
    outputTokens: sum(usages.map(({ outputTokens }) => outputTokens)),
    ...optional("costUsd", priced.length === 0 ? undefined : sum(priced.map(costOf))),
    ...optional("prices", priced.at(-1)?.prices),
  };
}

/** "1234 tokens, $0.0123 (prices of 2026-11-26)"; says where a part of it has no price. */
export function usageWords({ totalTokens, costUsd, prices, ...rest }: AiUsageMetrics): string {
  const tokens = `${totalTokens} tokens`;
  if (costUsd === undefined) return `${tokens}, price unknown`;
  const list =
    prices === undefined || prices.date === "" ? "own prices" : `prices of ${prices.date}`;
  const without =
    rest.unpricedResponses === 0 ? "" : `, ${rest.unpricedResponses} responses without`;
  return `${tokens}, $${costUsd.toFixed(4)} (${list}${without})`;
}

function costOf({ costUsd }: { readonly costUsd?: number }): number {
  return costUsd ?? 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
