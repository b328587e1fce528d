import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, it } from "vitest";
import type { CallMetrics } from "../../../src/measure/index.ts";
import type { RunSummary } from "../../../src/report/index.ts";
import { type CliResult, resultOf, startCli } from "../cli-process.ts";
import { endsOf } from "../feature-runs.ts";

const FEATURE = "features/head-of-line.feature";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sidetone-head-of-line-"));
});

afterAll(() => rm(folder, { recursive: true }));

/** In virtual time: the same on a machine that is busy. */
async function runVirtual(path: string, name: string): Promise<CliResult> {
  const reports = join(folder, name);
  return resultOf(startCli(["run", path, "--virtual", "--seed", "1", "--reports", reports]));
}

/** What the report is asked for; undefined is what it lacks. */
function seenOf({ aiPath, bridge }: CallMetrics): {
  readonly transport: string | undefined;
  readonly isModelled: boolean | undefined;
  readonly heldUp: number | undefined;
  readonly lost: number | undefined;
  readonly playedMs: number | undefined;
  readonly stalls: number | undefined;
} {
  return {
    transport: aiPath?.transport,
    isModelled: aiPath?.isModelled,
    heldUp: aiPath?.received.stalls?.count,
    lost: aiPath?.received.packets?.lost,
    playedMs: aiPath?.received.audio?.playedMs,
    stalls: bridge?.playout?.stalls.length,
  };
}

describe("the feature that shows head-of-line blocking", { timeout: 110_000 }, () => {
  it("passes, and its report has both calls side by side", async ({ expect }) => {
    const { exitCode, output, report } = await runVirtual(FEATURE, "as-it-is");
    expect(exitCode, output).toBe(0);
    const { calls } = await report.json<RunSummary>("results.json");
    const [tcp, udp] = calls.map(({ metrics }) => seenOf(metrics));
    expect(tcp).toMatchObject({ transport: "tcp-modelled", isModelled: true });
    expect(tcp?.heldUp).toBeGreaterThan(0);
    expect(tcp?.stalls).toBeGreaterThanOrEqual(3);
    expect(udp).toMatchObject({ transport: "udp", isModelled: false });
    expect(udp?.playedMs).toBeGreaterThan(0);
    expect(udp?.lost).toBeGreaterThan(0);
    const page = await report.text("index.html");
    expect(page).toContain("Injured networks to the AI");
    expect(page).toContain("<td>TCP, modelled</td>");
    expect(page).toContain("<td>UDP</td>");
  });

  it.for([
    { asked: "modelled TCP", given: "UDP", code: "ERR_NETWORK_HARMLESS" },
    { asked: "UDP", given: "modelled TCP", code: "ERR_SPEECH_STALLED" },
  ])("fails where what it asks of $asked is carried by $given", async (mutant, { expect }) => {
    const { asked, given, code } = mutant;
    const [background = "", ...scenarios] = (await readFile(FEATURE, "utf8")).split(
      /^(?= {2}Scenario:)/mu,
    );
    const carrier = `is reached by ${asked}\n`;
    const scenario = scenarios.find((text) => text.includes(carrier)) ?? "";
    const path = join(folder, `${code}.feature`);
    await writeFile(path, background + scenario.replace(carrier, `is reached by ${given}\n`));
    const result = await runVirtual(path, code);
    expect(result.exitCode, result.output).toBe(1);
    expect(await endsOf(result), result.output).toMatchObject([{ verdict: "fail", code }]);
  });
});
