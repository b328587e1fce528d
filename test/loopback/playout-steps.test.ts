import { describe, it } from "vitest";
import { endsOf, featureRuns, namedEnds, VIRTUAL } from "./feature-runs.ts";

const ran = featureRuns();

describe.concurrent("steps about the playout of the AI's speech", { timeout: 90_000 }, () => {
  it("hold it back and conceal its stalls, and say what came of that", async ({ expect }) => {
    const { exitCode, output, report } = await ran("playout-green.feature");
    expect(exitCode, output).toBe(0);
    expect(await report.text("index.html")).toContain("Playout of the AI&#39;s speech");
  });

  it("fail for speech that stalls, or is held back for too long", async ({ expect }) => {
    const result = await ran("playout-red.feature", VIRTUAL);
    const ends = await endsOf(result);
    expect(ends.length).toBeGreaterThan(1);
    expect(ends, result.output).toEqual(namedEnds(ends, "fail"));
    expect(result.exitCode, result.output).toBe(1);
    expect(await result.report.text("index.html")).toContain("Stalls of the bot&#39;s speech");
  });
});
