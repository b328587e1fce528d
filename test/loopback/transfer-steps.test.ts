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
  const folder = await mkdtemp(join(tmpdir(), "sidetone-transfer-"));
  folders.push(folder);
  return resultOf(startCli(["run", `${FEATURES}/${feature}`, "--reports", folder]));
}

/** What a scenario is named for (the code comes before a comma), and what it ended with. */
async function judged(report: CliResult["report"]): Promise<readonly unknown[]> {
  const { scenarios } = await report.json<{ readonly scenarios: readonly ScenarioSummary[] }>(
    "results.json",
  );
  return scenarios.map(({ name, verdict, error }) => ({
    name,
    expected: name.split(",")[0],
    verdict,
    code: error?.code,
  }));
}

function named(verdict: string): (scenario: unknown) => unknown {
  return (scenario) => {
    const { expected } = scenario as { readonly expected: string };
    return { ...(scenario as object), verdict, code: expected };
  };
}

describe.concurrent("steps about transfers", { timeout: 120_000 }, () => {
  it("play every role, and say what became of the call", async ({ expect }) => {
    const { exitCode, output, report } = await ran("transfer-green.feature");
    expect(exitCode, output).toBe(0);
    const facts = await report.everything();
    const timelines = [...facts].filter(([name]) => name.endsWith("timeline.jsonl"));
    const failed = timelines.map(([, text]) => text).find((text) => text.includes("manager"));
    expect(failed).toContain('"kind":"transfer"');
  });

  it("each fail for a transfer that is not what they ask for", async ({ expect }) => {
    const { exitCode, output, report } = await ran("transfer-red.feature");
    const scenarios = await judged(report);
    expect(scenarios.length).toBeGreaterThan(12);
    expect(scenarios).toEqual(scenarios.map(named("fail")));
    expect(exitCode, output).toBe(1);
  });

  it("refuse what cannot be asked for", async ({ expect }) => {
    const { exitCode, output, report } = await ran("transfer-broken.feature");
    const scenarios = await judged(report);
    expect(scenarios).toEqual(scenarios.map(named("broken")));
    expect(exitCode, output).toBe(2);
  });
});
