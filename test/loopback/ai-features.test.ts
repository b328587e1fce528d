import { describe, it } from "vitest";
import { REAL_CASES, runFace } from "./ai-faces.ts";
import { featureRuns } from "./feature-runs.ts";

/** A process runs its scenarios one after the other. */
const LIMIT_MS = 170_000;

const run = featureRuns({}, LIMIT_MS);

/**
 * What the bot's AI makes of a call: the same scenarios, the same verdicts by either protocol. Here
 * over real sockets; by the other protocol in virtual time, in side-by-side/ai-features-virtual.
 * Several processes at a time (`maxConcurrency`): they listen for most of their time.
 */
describe("What the bot's AI makes of a call", () => {
  it.concurrent.for(REAL_CASES)(
    "$feature passes by the protocol of $face",
    { timeout: LIMIT_MS },
    async (face, { expect }) => {
      const { exitCode, output } = await runFace(run, face);
      expect(exitCode, output).toBe(0);
    },
  );
});
