import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startCli } from "../cli-process.ts";
import { endsOf, FEATURES, type FeatureRun, featureRuns, namedEnds } from "../feature-runs.ts";

/** What a call leaves; its ladder is drawn when the report is made. */
const CALL_FILE =
  /^calls\/\d+\/(?:timeline\.jsonl|audio\.wav|call\.json|call\.pcap|metrics\.json)$/u;

const run = featureRuns();

async function callFiles({ report }: FeatureRun): Promise<ReadonlyMap<string, string>> {
  const files = await report.everything();
  return new Map([...files].filter(([path]) => CALL_FILE.test(path)));
}

describe("sidetone run --virtual", () => {
  it("leaves the same calls for the same seed, to the byte, and says that no time passed", async () => {
    const args = ["../../../features/interruption.feature", "--virtual", "--seed", "3"] as const;
    const [first, again] = await Promise.all([run(...args), run(...args)]);

    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.output).toContain("virtual time");
    const files = await callFiles(first);
    expect(files.size).toBe(10);
    expect(files.get("calls/001/call.json")).toContain('"time": "virtual"');
    expect(await callFiles(again)).toEqual(files);
  });

  it("refuses what it cannot carry, and says why", async () => {
    const result = await run("virtual-red.feature", "--virtual");

    expect(result).toMatchObject({ exitCode: 2 });
    const ends = await endsOf(result);
    expect(ends).toEqual(namedEnds(ends, "broken"));
  });

  it("stays for a step that waits for nothing of its own, until it is interrupted", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sidetone-virtual-run-"));
    const own = ["--import", `${FEATURES}/endless-step.mjs`, "--virtual"];
    const cli = startCli(["run", `${FEATURES}/endless-step.feature`, ...own, "--reports", folder]);
    await cli.said("Nothing ends it");
    cli.child.kill("SIGINT");

    expect(await cli.exited).toBe(130);
    expect(cli.output()).toContain("ERR_INTERRUPTED");
    await rm(folder, { recursive: true });
  });

  it("lets a scenario's own steps sleep by its clock", async () => {
    const own = ["--import", "test/loopback/features/recorded-counts.mjs", "--tags", "not @slow"];
    const result = await run("media-green.feature", "--virtual", ...own);

    expect(result).toMatchObject({ exitCode: 0 });
  });
});
