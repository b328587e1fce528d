import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { type CliResult, resultOf, startCli } from "./cli-process.ts";

const FEATURES = "test/loopback/features";
/** A process runs its scenarios one after the other. */
const LIMIT_MS = 170_000;

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function ran(feature: string, face: string): Promise<CliResult> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-ai-"));
  folders.push(folder);
  const tools = ["--tools", "test/loopback/own-tools.mjs"];
  const args = ["run", feature, "--ai", face, ...tools, "--reports", folder];
  return resultOf(startCli(args, {}, LIMIT_MS));
}

async function expectPass(feature: string, face: string): Promise<void> {
  const { exitCode, output } = await ran(feature, face);
  if (exitCode !== 0) throw new Error(`It ended with ${String(exitCode)}:\n${output}`);
}

/** What the bot's AI makes of a call, by either protocol: the same scenarios, the same verdicts. */
describe.each([
  "ai-tools.feature",
  "ai-own-tools.feature",
  "ai-interruption.feature",
  "ai-echo.feature",
  "ai-trouble.feature",
])("%s", (feature) => {
  // Two calls at a time: they wait for most of their time, and CI has half an hour.
  it.concurrent.each(["openai", "gemini"])(
    "passes by the protocol of %s",
    (face) => expectPass(`${FEATURES}/${feature}`, face),
    LIMIT_MS,
  );
});

/** By the other protocol they run with `npm start`, and so in cli.test.ts. */
describe("features/", () => {
  it.concurrent.each(["tools", "interruption", "transfer"])(
    "%s.feature passes by the protocol of gemini",
    (feature) => expectPass(`features/${feature}.feature`, "gemini"),
    LIMIT_MS,
  );
});
