import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import type { ScenarioSummary } from "../../src/report/index.ts";
import { type CliResult, resultOf, startCli } from "./cli-process.ts";

const FEATURES = "test/loopback/features";
const STEPS = ["--import", `${FEATURES}/altered-recordings.mjs`];

/** Nine calls, one after another, on a machine that may be busy. */
const LIFETIME_MS = 110_000;

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function ran(feature: string, ...options: readonly string[]): Promise<CliResult> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-quality-"));
  folders.push(folder);
  const args = ["run", `${FEATURES}/${feature}`, ...STEPS, ...options, "--reports", folder];
  return resultOf(startCli(args, {}, LIFETIME_MS));
}

async function judged(report: CliResult["report"]): Promise<readonly ScenarioSummary[]> {
  const { scenarios } = await report.json<{ readonly scenarios: readonly ScenarioSummary[] }>(
    "results.json",
  );
  return scenarios;
}

/** What came of each, beside what it is named for. */
function outcomes(scenarios: readonly ScenarioSummary[]): (readonly unknown[])[] {
  return scenarios.map(({ name, verdict, error }) => [name, verdict, error?.code]);
}

function wanted(scenarios: readonly ScenarioSummary[], verdict: string): (readonly unknown[])[] {
  return scenarios.map(({ name }) => [name, verdict, name.split(",")[0]]);
}

describe.concurrent("steps about the quality of the sound", { timeout: 120_000 }, () => {
  it("pass for calls that sound as they should, and the report shows the figures", async ({
    expect,
  }) => {
    const { exitCode, output, report } = await ran("quality-green.feature", "--visqol");
    expect(exitCode, output).toBe(0);
    const page = await report.text("index.html");
    expect(page).toContain("<summary>Quality</summary>");
    expect(page).toContain("MOS (estimate)");
    expect(page).toContain("(wideband)");
    expect(page).toContain("ViSQOL: what the caller heard against what the bot sent");
    expect(output).toMatch(/ViSQOL of call \S+: [1-5]\.\d\d over [\d.]+ s of speech, in [\d.]+ s/u);
  });

  it("each fail for a call that does not sound as they ask for", async ({ expect }) => {
    const { exitCode, output, report } = await ran("quality-red.feature");
    const scenarios = await judged(report);
    expect(scenarios).toHaveLength(9);
    expect(outcomes(scenarios), output).toEqual(wanted(scenarios, "fail"));
    expect(exitCode, output).toBe(1);
  });

  it("refuse what cannot be asked for", async ({ expect }) => {
    const { exitCode, output, report } = await ran("quality-broken.feature");
    const scenarios = await judged(report);
    expect(outcomes(scenarios), output).toEqual(wanted(scenarios, "broken"));
    expect(exitCode, output).toBe(2);
  });
});
