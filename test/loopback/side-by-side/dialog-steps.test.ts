import { describe, it } from "vitest";
import { endsOf, featureRuns, namedEnds, VIRTUAL } from "../feature-runs.ts";

const ran = featureRuns();

describe.concurrent("steps about dialogs", { timeout: 120_000 }, () => {
  it("choose how a call is signalled, and say what came of it", async ({ expect }) => {
    const { exitCode, output } = await ran("dialog-green.feature");
    expect(exitCode, output).toBe(0);
  });

  it("each fail for a call that is not what they ask for", async ({ expect }) => {
    const result = await ran("dialog-red.feature", VIRTUAL);
    const ends = await endsOf(result);
    expect(ends).toHaveLength(4);
    expect(ends, result.output).toEqual(namedEnds(ends, "fail"));
    expect(result.exitCode, result.output).toBe(1);
  });
});
