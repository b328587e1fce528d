import { describe, expect, it } from "vitest";
import { expectWithin } from "../../../src/expect/verdict-on-figure.ts";
import { type FigureEvidence, measureCall } from "../../../src/measure/index.ts";
import { syntheticCall } from "../report/synthetic-call.ts";

const CALL = measureCall(syntheticCall({ endMs: 2000, utterances: [], responses: [] }));
const DOUBT = { uncertaintyMs: 150, why: "uncertain: noise hides an edge of the speech" };

function evidence(observedMs: number, isDoubtful: boolean): FigureEvidence {
  const figure = { figure: "response latency", limitMs: 1500, observedMs };
  return isDoubtful ? { ...figure, doubt: DOUBT } : figure;
}

describe("a verdict on a doubtful figure", () => {
  it.each([1400, 1500, 1640])("is inconclusive where its bounds hold the limit: %d ms", (ms) => {
    expect(() => expectWithin(evidence(ms, true), CALL)).toThrow(
      expect.objectContaining({
        code: "ERR_MEASUREMENT_UNCERTAIN",
        message: expect.stringMatching(/^Inconclusive: .*give or take 150 ms \(uncertain: noise/u),
      }),
    );
  });

  it("stands where the limit lies outside of its bounds", () => {
    expect(expectWithin(evidence(1300, true), CALL)).toContain("heard 1,300 ms");
    expect(() => expectWithin(evidence(1700, true), CALL)).toThrow(
      expect.objectContaining({ code: "ERR_ABOVE_LIMIT" }),
    );
  });

  it("stands where there is no doubt, however close", () => {
    expect(expectWithin(evidence(1499, false), CALL)).toContain("heard 1,499 ms");
  });
});
