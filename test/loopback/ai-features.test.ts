import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import type { ScenarioSummary } from "../../src/report/index.ts";
import { type CliResult, resultOf, startCli } from "./cli-process.ts";

const FEATURES = "test/loopback/features";
const FACES = ["openai", "gemini"] as const;
/** A process runs its scenarios one after the other; two cores run two processes. */
const LIMIT_MS = 120_000;

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function ran(feature: string, ...options: readonly string[]): Promise<CliResult> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-ai-"));
  folders.push(folder);
  const args = ["run", `${FEATURES}/${feature}`, ...options, "--reports", folder];
  return resultOf(startCli(args));
}

async function judged({ report }: CliResult): Promise<readonly ScenarioSummary[]> {
  const { scenarios } = await report.json<{ readonly scenarios: readonly ScenarioSummary[] }>(
    "results.json",
  );
  return scenarios;
}

describe.each(["ai-tools-green.feature"])("%s", (feature) => {
  it.concurrent.each(FACES)("passes by the protocol of %s", { timeout: LIMIT_MS }, async (face) => {
    const { exitCode, output } = await ran(feature, "--ai", face);
    if (exitCode !== 0) throw new Error(output);
  });
});

describe("steps about the bot's AI", () => {
  it.concurrent.each(["ai-tools-red.feature"])(
    "each fail for a bot that is not what they ask for: %s",
    { timeout: LIMIT_MS },
    async (feature) => {
      const result = await ran(feature);
      const seen = (await judged(result)).map(({ name, verdict, error }) => {
        return `${name}: ${verdict} ${error?.code ?? ""}`;
      });
      const wanted = (await judged(result)).map(({ name }) => {
        return `${name}: fail ${name.split(",")[0] ?? ""}`;
      });
      if (seen.join("\n") !== wanted.join("\n") || seen.length === 0) {
        throw new Error(`${seen.join("\n")}\n${result.output}`);
      }
    },
  );
});
