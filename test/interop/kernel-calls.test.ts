import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { type CliResult, resultOf, startCli } from "../loopback/cli-process.ts";
import { endsOf } from "../loopback/feature-runs.ts";
import { because, missingReason, netemMissing } from "./support/tools.ts";

// Calls whose AI is reached by the kernel's own TCP, as a user runs them.

const missing = missingReason(["unshare", "nsenter", "ip", "ethtool", "ss"], { root: true });
const missingNft = missing ?? missingReason(["nft"]);
const missingNetem = missing ?? missingReason(["tc"]) ?? netemMissing();

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function reportsFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-kernel-"));
  folders.push(folder);
  return folder;
}

async function ran(feature: string): Promise<CliResult> {
  return resultOf(startCli(["run", feature, "--reports", await reportsFolder()]));
}

/** Processes of this parent, the oldest first, with what they run. */
function childrenOf(parentPid: number): { readonly pid: number; readonly line: string }[] {
  const { stdout } = spawnSync("ps", ["--ppid", String(parentPid), "-o", "pid=,args="], {
    encoding: "utf8",
  });
  return stdout
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => ({ pid: Number.parseInt(line, 10), line }))
    .toSorted((one, other) => one.pid - other.pid);
}

/**
 * The processes that hold a command's namespaces, the oldest first: middle, and one at each end.
 * Those of a study are its workers'.
 */
function holdersOf(parentPid: number): number[] {
  return childrenOf(parentPid).flatMap(({ pid, line }) => {
    if (line.includes("namespace-process")) return [pid];
    return line.includes("hol-worker") ? holdersOf(pid) : [];
  });
}

describe.skipIf(missing !== undefined)(`a call over the kernel's TCP${because(missing)}`, () => {
  it("passes the scenarios that a call over modelled TCP passes, stalls towards the AI among them", async () => {
    const text = await readFile("features/ai-network.feature", "utf8");
    const feature = join(await reportsFolder(), "kernel.feature");
    await writeFile(feature, text.replace("reached by modelled TCP", "reached by kernel TCP"));

    const result = await ran(feature);

    const ends = await endsOf(result);
    expect(ends.length).toBeGreaterThanOrEqual(2);
    expect(ends.map(({ verdict, code }) => `${verdict}, ${code}`)).toEqual(
      ends.map(() => "pass, none"),
    );
    expect(await readFile(feature, "utf8")).toContain("kernel TCP");
  });

  it("is ended in order, and broken, where the process in the middle is killed", async () => {
    const folder = await reportsFolder();
    const cli = startCli(["run", "test/interop/features/kernel-long.feature", "--reports", folder]);
    await cli.said("answered 200");
    const [middle = 0, ...ends] = holdersOf(cli.child.pid ?? 0);
    expect(ends).toHaveLength(2);

    process.kill(middle, "SIGKILL");

    const result = await resultOf(cli);
    expect(result.output).toContain("ERR_NAMESPACE_GONE");
    expect(result.exitCode).toBe(3);
    expect((await endsOf(result))[0]).toMatchObject({
      verdict: "broken",
      code: "ERR_NAMESPACE_GONE",
    });
    expect(result.output).toMatch(/ended \(bye/);
    expect([middle, ...ends].filter(isAlive)).toEqual([]);
  });
});

const HOL = ["--transport", "tcp-kernel", "--loss", "0", "--rtt", "20", "--calls", "1"];

describe.skipIf(missing !== undefined)(`a command that is killed${because(missing)}`, () => {
  it.each([
    ["run", ["run", "test/interop/features/kernel-long.feature"], ["--reports"]],
    ["hol", ["hol"], HOL],
  ])(
    "leaves nothing of the kernel's network: %s",
    async (name, [command = "", ...words], options) => {
      const folder = await reportsFolder();
      const args =
        name === "hol" ? [command, folder, ...options] : [command, ...words, ...options, folder];
      const before = hostTraces();
      const { child, exited } = startCli(args);
      await expect
        .poll(() => holdersOf(child.pid ?? 0).length, { timeout: 60_000, interval: 100 })
        .toBe(3);
      const workers = childrenOf(child.pid ?? 0).map(({ pid }) => pid);
      const holders = [...new Set([...workers, ...holdersOf(child.pid ?? 0)])];

      child.kill("SIGKILL");
      await exited;

      await expect.poll(() => holders.filter(isAlive), { timeout: 30_000 }).toEqual([]);
      expect(hostTraces()).toEqual(before);
    },
  );
});

/** What of such a network could lie open on the host itself; namespaces of others are not seen. */
function hostTraces(): readonly string[] {
  return [
    ["ip", "netns", "list"],
    ["ip", "-brief", "link"],
    ["nft", "list", "ruleset"],
  ].map(([program = "", ...args]) => spawnSync(program, args, { encoding: "utf8" }).stdout);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.skipIf(missingNft !== undefined)(`through nft${because(missingNft)}`, () => {
  it("packets of the AI are lost and counted, and what it cannot do is refused", async () => {
    const result = await ran("test/interop/features/kernel-nft.feature");

    expect((await endsOf(result)).map(({ verdict, code }) => `${verdict}, ${code}`)).toEqual([
      "pass, none",
      "broken, ERR_IMPAIRMENT",
      "broken, ERR_AI_STALLS_UNSEEN",
    ]);
  });
});

describe.skipIf(missingNetem !== undefined)(`through netem${because(missingNetem)}`, () => {
  it("packets of the AI are delayed, lost and counted", async () => {
    const ends = await endsOf(await ran("test/interop/features/kernel-netem.feature"));

    expect(ends).toMatchObject([{ verdict: "pass", code: "none" }]);
  });
});
