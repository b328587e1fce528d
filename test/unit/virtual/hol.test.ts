import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openHarness, scriptPath } from "../../../src/index.ts";
import {
  RESULTS_LINE_VERSION,
  readStudy,
  runStudy,
  StudyWorker,
  type Sweep,
} from "../../../src/lab/index.ts";
import { measureCall } from "../../../src/measure/index.ts";
import { NodeFileStore } from "../../../src/platform/index.ts";

const SWEEP: Sweep = {
  lossRatios: [0, 0.05],
  roundTripsMs: [80],
  burstPackets: [1],
  transports: ["tcp-modelled"],
  congestionControls: ["cubic", "bbr"],
  preBuffersMs: [0],
  callsPerCell: 1,
  turnsPerCall: 2,
  aiFormat: "pcmu",
  time: "virtual",
  visqol: false,
  seed: "7",
};

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sidetone-hol-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

/** Runs the study until so many calls have ended; the lines of its file. */
async function run(name: string, callsMax = Number.POSITIVE_INFINITY): Promise<string[]> {
  const files = new NodeFileStore();
  let ended = 0;
  const { skipped } = await runStudy({
    files,
    folder: join(folder, name),
    header: {
      schema: "sidetone-hol",
      version: RESULTS_LINE_VERSION,
      sidetoneVersion: "0",
      node: "0",
      platform: "test",
      startedAt: "2026-01-01T00:00:00.000Z",
      sweep: SWEEP,
    },
    workers: [
      new StudyWorker({
        sweep: SWEEP,
        openHarness: (seed) =>
          openHarness({ seed, virtual: true, reportFolder: join(folder, name) }),
        measure: (record) => Promise.resolve(measureCall(record)),
        scriptPath: scriptPath("head-of-line"),
      }),
    ],
    isAborted: () => ended >= callsMax,
    onProgress: ({ last }) => {
      if (last !== undefined) ended += 1;
    },
  });
  expect(skipped).toMatchObject([{ transport: "tcp-modelled bbr" }]);
  return (await readFile(join(folder, name, "results.jsonl"), "utf8")).trimEnd().split("\n");
}

describe("a study in virtual time", () => {
  it("finds loss on the AI's leg, and the same to the bit where it was broken off", async () => {
    const whole = await run("whole");
    expect(whole).toHaveLength(3);

    expect(await run("parts", 1)).toEqual(whole.slice(0, 2));
    expect(await run("parts")).toEqual(whole);

    const study = await readStudy(new NodeFileStore(), join(folder, "whole"));
    const [clean, lossy] = study?.results ?? [];
    expect(clean?.failure).toBeUndefined();
    expect(clean?.turns.map(({ responseLatencyMs = 0 }) => responseLatencyMs > 400)).toEqual([
      true,
      true,
    ]);
    expect(clean?.packets?.lost).toBe(0);
    expect(clean?.tcp).toMatchObject({ retransmissions: 0 });
    expect(lossy?.packets?.lost).toBeGreaterThan(0);
    expect(lossy?.tcp?.retransmissions).toBeGreaterThan(0);
  }, 60_000);
});
