import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import type { ScenarioSummary } from "../../src/report/index.ts";
import { type CliResult, resultOf, startCli } from "./cli-process.ts";

const FEATURES = "test/loopback/features";

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function ran(feature: string): Promise<CliResult> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-dialogs-"));
  folders.push(folder);
  return resultOf(startCli(["run", `${FEATURES}/${feature}`, "--reports", folder]));
}

async function judged(report: CliResult["report"]): Promise<readonly ScenarioSummary[]> {
  const { scenarios } = await report.json<{ readonly scenarios: readonly ScenarioSummary[] }>(
    "results.json",
  );
  return scenarios;
}

/** What a scenario is named for: the code, and whatever makes the name unique after a comma. */
function codeIn({ name }: ScenarioSummary): string {
  return name.split(",")[0] ?? "";
}

describe.concurrent("steps about dialogs", { timeout: 60_000 }, () => {
  it("choose how a call is signalled, and say what came of it", async ({ expect }) => {
    const { exitCode, output } = await ran("dialog-green.feature");
    expect(exitCode, output).toBe(0);
  });

  it("each fail for a call that is not what they ask for", async ({ expect }) => {
    const { exitCode, output, report } = await ran("dialog-red.feature");
    const scenarios = await judged(report);
    expect(scenarios).toHaveLength(4);
    for (const scenario of scenarios) {
      expect([scenario.name, scenario.verdict, scenario.error?.code], output).toEqual([
        scenario.name,
        "fail",
        codeIn(scenario),
      ]);
    }
    expect(exitCode, output).toBe(1);
  });
});
