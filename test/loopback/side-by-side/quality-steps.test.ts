import { describe, it } from "vitest";
import { endsOf, FEATURES, featureRuns, namedEnds, VIRTUAL } from "../feature-runs.ts";

const STEPS = ["--import", `${FEATURES}/altered-recordings.mjs`];

const ran = featureRuns();

describe.concurrent("steps about the quality of the sound", { timeout: 120_000 }, () => {
  it("pass for calls that sound as they should, and the report shows the figures", async ({
    expect,
  }) => {
    const { exitCode, output, report } = await ran("quality-green.feature", ...STEPS, "--visqol");
    expect(exitCode, output).toBe(0);
    const page = await report.text("index.html");
    expect(page).toContain("<summary>Quality</summary>");
    expect(page).toContain("MOS (estimate)");
    expect(page).toContain("(wideband)");
    expect(page).toContain("ViSQOL: what the caller heard against what the bot sent");
    expect(output).toMatch(/ViSQOL of call \S+: [1-5]\.\d\d over [\d.]+ s of speech, in [\d.]+ s/u);
  });

  it("each fail for a call that does not sound as they ask for", async ({ expect }) => {
    const result = await ran("quality-red.feature", ...STEPS, VIRTUAL);
    const ends = await endsOf(result);
    expect(ends).toHaveLength(9);
    expect(ends, result.output).toEqual(namedEnds(ends, "fail"));
    expect(result.exitCode, result.output).toBe(1);
  });

  it("refuse what cannot be asked for", async ({ expect }) => {
    const result = await ran("quality-broken.feature", ...STEPS, VIRTUAL);
    const ends = await endsOf(result);
    expect(ends.length).toBeGreaterThan(1);
    expect(ends, result.output).toEqual(namedEnds(ends, "broken"));
    expect(result.exitCode, result.output).toBe(2);
  });
});
