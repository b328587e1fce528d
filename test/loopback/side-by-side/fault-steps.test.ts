import { describe, it } from "vitest";
import { endsOf, featureRuns, namedEnds, VIRTUAL } from "../feature-runs.ts";

const ran = featureRuns();

describe.concurrent("steps about faults", { timeout: 120_000 }, () => {
  it("let go wrong what they say, and our bot comes through", async ({ expect }) => {
    const result = await ran("faults-green.feature");
    expect(result.exitCode, result.output).toBe(0);
    const everything = await result.report.everything();
    expect(everything.get("calls/001/ladder.svg")).toContain("on purpose: no ACK (ACK dropped)");
  });

  it("each fail where what they expect does not happen", async ({ expect }) => {
    const result = await ran("faults-red.feature", VIRTUAL);
    const ends = await endsOf(result);
    expect(ends).toHaveLength(5);
    expect(ends, result.output).toEqual(namedEnds(ends, "fail"));
    expect(result.exitCode, result.output).toBe(1);
    expect(result.output).toContain("ERR_FAULT_COUNT");
  });

  it("make a scenario broken whose fault never happened, or cannot", async ({ expect }) => {
    const result = await ran("faults-broken.feature", VIRTUAL);
    const ends = await endsOf(result);
    expect(ends).toHaveLength(3);
    expect(ends, result.output).toEqual(namedEnds(ends, "broken"));
    expect(result.exitCode, result.output).toBe(2);
  });
});
