import { describe, it } from "vitest";
import { runFace, VIRTUAL_CASES } from "../ai-faces.ts";
import { featureRuns } from "../feature-runs.ts";

const run = featureRuns();

/** One process at a time: each keeps a core busy, and beside them others listen. */
describe("What the bot's AI makes of a call, in virtual time", () => {
  it.for(VIRTUAL_CASES)("$feature passes by the protocol of $face", async (face, { expect }) => {
    const { exitCode, output } = await runFace(run, face, "--virtual");
    expect(exitCode, output).toBe(0);
    expect(output).toContain("virtual time");
  });
});
