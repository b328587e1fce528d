import { describe, expect, it } from "vitest";
import { instant } from "../environment/index.ts";
import type { Fact } from "../timeline/index.ts";
import { measureAiUsage, usageWords } from "./ai-usage.ts";

const PRICES = { source: "list", date: "2026-11-26" };

function usage(totalTokens: number, costUsd?: number): Fact {
  return {
    kind: "aiUsage",
    party: "bot",
    responseId: "r",
    totalTokens,
    inputTokens: totalTokens - 10,
    outputTokens: 10,
    ...(costUsd === undefined ? {} : { costUsd, prices: PRICES }),
    at: instant(1),
  };
}

describe("measureAiUsage", () => {
  it("is absent where the AI said nothing of it", () => {
    expect(measureAiUsage([])).toBeUndefined();
  });

  it("adds up tokens and cost, and says what has no price", () => {
    const ai = measureAiUsage([usage(100, 0.01), usage(50, 0.02), usage(20)]);
    expect(ai).toEqual({
      responses: 3,
      unpricedResponses: 1,
      totalTokens: 170,
      inputTokens: 140,
      outputTokens: 30,
      costUsd: 0.03,
      prices: PRICES,
    });
    expect(ai && usageWords(ai)).toBe(
      "170 tokens, $0.0300 (prices of 2026-11-26, 1 responses without)",
    );
  });

  it("guesses no cost", () => {
    const ai = measureAiUsage([usage(20)]);
    expect(ai?.costUsd).toBeUndefined();
    expect(ai && usageWords(ai)).toBe("20 tokens, price unknown");
  });
});
