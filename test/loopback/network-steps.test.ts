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
  const folder = await mkdtemp(join(tmpdir(), "sidetone-network-"));
  folders.push(folder);
  return resultOf(startCli(["run", `${FEATURES}/${feature}`, "--reports", folder]));
}

async function judged(report: CliResult["report"]): Promise<readonly ScenarioSummary[]> {
  const { scenarios } = await report.json<{ readonly scenarios: readonly ScenarioSummary[] }>(
    "results.json",
  );
  return scenarios;
}

describe.concurrent("steps about the network", { timeout: 60_000 }, () => {
  it("injure each direction of each side, before and within a call, and the report says so", async ({
    expect,
  }) => {
    const { exitCode, output, report } = await ran("network-green.feature");
    expect(exitCode, output).toBe(0);
    const facts = (await report.text("calls/001/timeline.jsonl"))
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { kind: string; party: string; description?: string });
    const changes = facts.filter(({ kind }) => kind === "networkChanged");
    expect(changes.length).toBeGreaterThanOrEqual(5);
    expect(changes.some(({ description = "" }) => /400 ms: 100 % lost/u.test(description))).toBe(
      true,
    );
    expect(facts.some(({ kind, party }) => kind === "networkCounts" && party === "caller")).toBe(
      true,
    );
    expect(await report.text("index.html")).toContain("network: ");
  });

  it("fail for a call that is not what they ask for", async ({ expect }) => {
    const { exitCode, output, report } = await ran("network-red.feature");
    for (const scenario of await judged(report)) {
      expect(endOf(scenario)).toEqual([scenario.name, "fail", codeIn(scenario)]);
    }
    expect(exitCode, output).toBe(1);
  });

  it("refuse what cannot be", async ({ expect }) => {
    const { exitCode, output, report } = await ran("network-broken.feature");
    for (const scenario of await judged(report)) {
      expect(endOf(scenario)).toEqual([scenario.name, "broken", codeIn(scenario)]);
    }
    expect(exitCode, output).toBe(2);
  });
});

function endOf({ name, verdict, error }: ScenarioSummary): readonly unknown[] {
  return [name, verdict, error?.code];
}

/** What a scenario is named for. */
function codeIn({ name }: ScenarioSummary): string {
  return name.split(",")[0] ?? "";
}
