import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { type CliResult, resultOf, startCli } from "./cli-process.ts";

const FEATURES = "test/loopback/features";
/** A process runs its scenarios one after the other; two cores run two processes. */
const LIMIT_MS = 170_000;

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function ran(feature: string, face: string): Promise<CliResult> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-ai-"));
  folders.push(folder);
  const args = ["run", `${FEATURES}/${feature}`, "--ai", face, "--reports", folder];
  return resultOf(startCli(args, {}, LIMIT_MS));
}

/** What the bot's AI makes of a call, by either protocol: the same scenarios, the same verdicts. */
describe.each([
  "ai-tools.feature",
  "ai-interruption.feature",
  "ai-echo.feature",
  "ai-trouble.feature",
  "../../../features/tools.feature",
  "../../../features/interruption.feature",
  "../../../features/transfer.feature",
])("%s", (feature) => {
  it.concurrent.for(["openai", "gemini"])(
    "passes by the protocol of %s",
    { timeout: LIMIT_MS },
    async (face, { expect }) => {
      const { exitCode, output } = await ran(feature, face);
      expect(exitCode, output).toBe(0);
    },
  );
});
