import { describe, it } from "vitest";
import { endsOf, featureRuns, namedEnds, VIRTUAL } from "../feature-runs.ts";

const ran = featureRuns();

describe.concurrent("steps about headers", { timeout: 120_000 }, () => {
  it("set what they say, and see it at the other end", async ({ expect }) => {
    const result = await ran("headers-green.feature");
    expect(result.exitCode, result.output).toBe(0);
  });

  it("each fail for a message that is not like that", async ({ expect }) => {
    const result = await ran("headers-red.feature", VIRTUAL);
    const ends = await endsOf(result);
    expect(ends).toHaveLength(8);
    expect(ends, result.output).toEqual(namedEnds(ends, "fail"));
    expect(result.exitCode, result.output).toBe(1);
  });

  it("refuse what cannot be sent", async ({ expect }) => {
    const result = await ran("headers-broken.feature", VIRTUAL);
    const ends = await endsOf(result);
    expect(ends).toHaveLength(3);
    expect(ends, result.output).toEqual(namedEnds(ends, "broken"));
    expect(result.exitCode, result.output).toBe(2);
  });
});
