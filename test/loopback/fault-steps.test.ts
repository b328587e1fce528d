import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import type { ScenarioSummary } from "../../src/report/index.ts";
import { type CliResult, resultOf, startCli } from "./cli-process.ts";

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function ran(feature: string): Promise<CliResult> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-faults-"));
  folders.push(folder);
  return resultOf(startCli(["run", `test/loopback/features/${feature}`, "--reports", folder]));
}

async function endsOf({ report }: CliResult): Promise<string[][]> {
  const { scenarios } = await report.json<{ readonly scenarios: readonly ScenarioSummary[] }>(
    "results.json",
  );
  return scenarios.map(({ name, verdict, error }) => [name, verdict, error?.code ?? "none"]);
}

describe.concurrent("steps about faults", { timeout: 60_000 }, () => {
  it("let go wrong what they say, and our bot comes through", async ({ expect }) => {
    const result = await ran("faults-green.feature");
    expect(result.exitCode, result.output).toBe(0);
    const everything = await result.report.everything();
    expect(everything.get("calls/001/ladder.svg")).toContain("on purpose: no ACK (ACK dropped)");
  });

  it("each fail where what they expect does not happen", async ({ expect }) => {
    const result = await ran("faults-red.feature");
    const ends = await endsOf(result);
    expect(ends).toHaveLength(5);
    expect(ends).toEqual(ends.map(([name = ""]) => [name, "fail", name.split(",")[0]]));
    expect(result.exitCode, result.output).toBe(1);
    expect(result.output).toContain("ERR_FAULT_COUNT");
  });

  it("make a scenario broken whose fault never happened, or cannot", async ({ expect }) => {
    const result = await ran("faults-broken.feature");
    const ends = await endsOf(result);
    expect(ends).toHaveLength(3);
    expect(ends).toEqual(ends.map(([name = ""]) => [name, "broken", name.split(",")[0]]));
    expect(result.exitCode, result.output).toBe(2);
  });
});
