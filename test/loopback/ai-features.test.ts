import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { type CliResult, resultOf, startCli } from "./cli-process.ts";

const FEATURES = "test/loopback/features";
/** A process runs its scenarios one after the other. */
const LIMIT_MS = 170_000;
const LIMIT = { timeout: LIMIT_MS };

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function ran(feature: string, face: string): Promise<CliResult> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-ai-"));
  folders.push(folder);
  const tools = ["--tools", "test/loopback/own-tools.mjs"];
  const args = ["run", feature, "--ai", face, ...tools, "--reports", folder];
  return resultOf(startCli(args, {}, LIMIT_MS));
}

/** The longest first: what is left for last then fits beside others. */
const BOTH = [
  "ai-trouble",
  "ai-tools",
  "ai-interruption",
  "ai-echo",
  "ai-own-tools",
  "ai-barge-in",
];
/** By the other protocol they run with `npm start`, and so in cli.test.ts. */
const WITH_GEMINI = ["transfer", "interruption", "tools"];
const CASES = [
  ...BOTH.flatMap((name) =>
    ["openai", "gemini"].map((face) => [`${FEATURES}/${name}.feature`, face] as const),
  ),
  ...WITH_GEMINI.map((name) => [`features/${name}.feature`, "gemini"] as const),
];

/**
 * What the bot's AI makes of a call, by either protocol: the same scenarios, the same verdicts.
 * Several processes at a time (`maxConcurrency`): they listen for most of their time.
 */
describe("What the bot's AI makes of a call", () => {
  it.concurrent.for(CASES)(
    "%s passes by the protocol of %s",
    LIMIT,
    async ([feature, face], { expect }) => {
      const { exitCode, output } = await ran(feature, face);
      expect(exitCode, output).toBe(0);
    },
  );
});
