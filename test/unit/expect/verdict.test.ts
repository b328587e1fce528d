import { describe, expect, it } from "vitest";
import { after, instant } from "../../../src/environment/index.ts";
import { expectWithin } from "../../../src/expect/verdict-on-figure.ts";
import { type FigureEvidence, measureCall } from "../../../src/measure/index.ts";
import { by, syntheticCall } from "../report/synthetic-call.ts";

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

describe("a verdict on a figure while our own timing was off", () => {
  // Told at 3,000 ms of the second before, in mid-call: no counts are stated yet.
  const unsteady = measureCall(
    syntheticCall({
      endMs: 6000,
      utterances: [],
      responses: [],
      facts: (at) =>
        [1000, 2000, 3000, 4000].map((ms) =>
          by("bot", {
            kind: "instrument",
            at: at(ms),
            eventLoopLagMsP99: 1,
            eventLoopLagMsMax: 1,
            departureJitterMsMax: ms === 3000 ? 60 : 1,
          }),
        ),
    }),
  );
  const startedAt = unsteady.recording?.startedAt ?? instant(0);
  const observed = (fromMs: number, observedMs: number): FigureEvidence => ({
    figure: "response latency",
    limitMs: 500,
    observedMs,
    at: after(startedAt, fromMs + observedMs),
  });

  it.each([450, 490, 550])("is inconclusive near its limit: %d ms", (ms) => {
    expect(() => expectWithin(observed(2200, ms), unsteady)).toThrow(
      expect.objectContaining({
        code: "ERR_INSTRUMENT_UNHEALTHY",
        message: expect.stringContaining("our own timing was off by up to 60 ms meanwhile"),
      }),
    );
  });

  it("stands farther from its limit, and where it was taken before or after", () => {
    expect(expectWithin(observed(2200, 430), unsteady)).toContain("heard 430 ms");
    expect(expectWithin(observed(1000, 490), unsteady)).toContain("heard 490 ms");
    expect(expectWithin(observed(3300, 490), unsteady)).toContain("heard 490 ms");
  });
});
