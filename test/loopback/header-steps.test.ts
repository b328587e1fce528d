import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import type { ScenarioSummary } from "../../src/report/index.ts";
import { type CliResult, resultOf, startCli } from "./cli-process.ts";

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function ran(feature: string): Promise<CliResult> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-headers-"));
  folders.push(folder);
  return resultOf(startCli(["run", `test/loopback/features/${feature}`, "--reports", folder]));
}

async function endsOf({ report }: CliResult): Promise<string[][]> {
  const { scenarios } = await report.json<{ readonly scenarios: readonly ScenarioSummary[] }>(
    "results.json",
  );
  return scenarios.map(({ name, verdict, error }) => [name, verdict, error?.code ?? "none"]);
}

describe.concurrent("steps about headers", { timeout: 60_000 }, () => {
  it("set what they say, and see it at the other end", async ({ expect }) => {
    const result = await ran("headers-green.feature");
    expect(result.exitCode, result.output).toBe(0);
  });

  it("each fail for a message that is not like that", async ({ expect }) => {
    const result = await ran("headers-red.feature");
    const ends = await endsOf(result);
    expect(ends).toHaveLength(8);
    expect(ends).toEqual(ends.map(([name = ""]) => [name, "fail", name.split(",")[0]]));
    expect(result.exitCode, result.output).toBe(1);
  });

  it("refuse what cannot be sent", async ({ expect }) => {
    const result = await ran("headers-broken.feature");
    const ends = await endsOf(result);
    expect(ends).toHaveLength(3);
    expect(ends).toEqual(ends.map(([name = ""]) => [name, "broken", name.split(",")[0]]));
    expect(result.exitCode, result.output).toBe(2);
  });
});
