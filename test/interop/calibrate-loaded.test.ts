import { type ChildProcess, spawn } from "node:child_process";
import { cpus } from "node:os";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ABRUPT_EDGE_MS } from "../../src/audio/index.ts";
import { scriptPath } from "../../src/index.ts";
import { CONDITIONS, calibrate } from "../../src/lab/index.ts";
import { CALIBRATION_VERSION, renderCalibration } from "../../src/report/index.ts";
import { openTestHarness } from "../loopback/bench-bot.ts";

const CALLS = 8;

function sum(counts: readonly number[]): number {
  return counts.reduce((all, each) => all + each, 0);
}

describe("Calibration on a machine with a busy loop on each core", () => {
  let test: Awaited<ReturnType<typeof openTestHarness>>;
  const loops: ChildProcess[] = [];

  beforeAll(async () => {
    test = await openTestHarness("loaded");
    for (const _ of cpus()) loops.push(spawn(process.execPath, ["-e", "for (;;);"]));
  });

  afterAll(async () => {
    for (const loop of loops) loop.kill("SIGKILL");
    await test.close();
  });

  it("has error bars that hold the truth, and marks what it cannot measure any more", async () => {
    const { harness } = test;
    const conditions = await calibrate({
      harness,
      conditions: CONDITIONS,
      callsPerCondition: CALLS,
      toolScript: scriptPath("reference"),
    });
    const shown = renderCalibration({
      schema: "sidetone-calibration",
      version: CALIBRATION_VERSION,
      abruptEdgeMs: ABRUPT_EDGE_MS,
      sidetoneVersion: "test",
      node: process.version,
      platform: process.platform,
      host: "test",
      madeAt: "2026-01-01T00:00:00Z",
      seed: "loaded",
      conditions,
    });
    process.stdout.write(`${shown}\n`);
    // Where calls say that they kept no time, figures that were taken just then are marked.
    const marked = sum(
      conditions.flatMap(({ figures }) => figures.map(({ inconclusive }) => inconclusive)),
    );
    const kept = sum(
      conditions.map(({ discarded, machine }) => machine.unhealthyCalls - discarded),
    );
    expect(marked > 0 || kept <= 0).toBe(true);
    for (const { discarded, figures, machine } of conditions) {
      // A call that cannot be held against its plan says itself that it kept no time.
      expect(machine.unhealthyCalls).toBeGreaterThanOrEqual(discarded);
      for (const { figure, compared, withinBar, verdict } of figures) {
        expect([figure, withinBar]).toEqual([figure, compared]);
        // What is left is either right or not called so.
        expect([figure, verdict]).not.toEqual([figure, "missed"]);
      }
    }
  }, 180_000);
});
