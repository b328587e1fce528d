import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CliProcess, startCli } from "../cli-process.ts";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sidetone-hol-"));
});

afterAll(() => rm(folder, { recursive: true }));

/** A study of two cells, two calls at once. */
function study(name: string, ...more: readonly string[]): CliProcess {
  return startCli([
    "hol",
    join(folder, name),
    "--loss",
    "1",
    "--rtt",
    "20",
    "--transport",
    "tcp-modelled,udp",
    "--at-once",
    "2",
    ...more,
  ]);
}

async function linesOf(name: string): Promise<readonly Record<string, unknown>[]> {
  const text = await readFile(join(folder, name, "results.jsonl"), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Processes that carry the calls of a study in this folder. */
function workersOf(name: string): string[] {
  const all = execFileSync("ps", ["-eo", "pid,ppid,args"], { encoding: "utf8" }).split("\n");
  const parents = new Set(
    all
      .filter((line) => line.includes(join(folder, name)))
      .map((line) => line.trim().split(/\s+/u)[0] ?? ""),
  );
  return all.filter(
    (line) => line.includes("hol-worker") && parents.has(line.trim().split(/\s+/u)[1] ?? "none"),
  );
}

describe("sidetone hol in real time", () => {
  it("carries calls in processes of their own, and lays the study beside one in virtual time", async () => {
    const virtual = study("virtual", "--calls", "1", "--turns", "1", "--virtual");
    expect({ code: await virtual.exited, output: virtual.output() }).toMatchObject({ code: 0 });
    const against = join(folder, "virtual");
    const real = study("real", "--calls", "1", "--turns", "1", "--against", against);
    expect({ code: await real.exited, output: real.output() }).toMatchObject({ code: 0 });

    const [header, ...calls] = await linesOf("real");
    expect(header).toMatchObject({ schema: "sidetone-hol", sweep: { time: "real" } });
    expect(new Set(calls.map(({ cell }) => cell)).size).toBe(2);
    for (const call of calls) {
      expect(call["failure"]).toBeUndefined();
      expect(call["turns"]).toMatchObject([{ index: 0, isMissed: false }]);
    }
    expect(real.output()).toMatch(/Beside .*virtual.* virtual time/u);
    // Figures of calls that a busy machine spoilt are left out; the cells are there all the same.
    for (const { cell } of calls) {
      const [carrier = "?"] = String(cell).split(",");
      expect(real.output().split("Beside ")[1]).toContain(carrier);
    }
  });

  it("hangs up and keeps what has ended when it is interrupted", async () => {
    const cli = study("interrupted", "--calls", "3", "--turns", "1");
    await cli.said("1 of 6 calls");
    const workers = workersOf("interrupted");
    expect(workers).toHaveLength(2);
    cli.child.kill("SIGINT");
    expect({ code: await cli.exited, output: cli.output() }).toMatchObject({ code: 130 });
    expect(workersOf("interrupted")).toEqual([]);
    const [, ...calls] = await linesOf("interrupted");
    expect(calls.length).toBeGreaterThanOrEqual(1);
    expect(calls.length).toBeLessThan(6);
  });

  it("leaves no process where it is killed", async () => {
    const cli = study("killed", "--calls", "3", "--turns", "2");
    await cli.said("6 calls");
    const workers = workersOf("killed").map((line) => Number(line.trim().split(/\s+/u)[0]));
    expect(workers).toHaveLength(2);
    cli.child.kill("SIGKILL");
    await cli.exited;
    await expect.poll(() => workers.filter(isThere), { timeout: 15_000 }).toEqual([]);
  });
});

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
