import { describe, expect, it } from "vitest";
import { encodeWav } from "../../../src/audio/index.ts";
import { measureCall } from "../../../src/measure/index.ts";
import {
  RESULTS_VERSION,
  readCallFolder,
  renderResults,
  renderSummary,
  writeReport,
} from "../../../src/report/index.ts";
import { CALL_FILES, encodeFacts } from "../../../src/timeline/index.ts";
import { MemoryFiles } from "./memory-files.ts";
import { sampleRun } from "./sample-run.ts";
import { by, syntheticCall } from "./synthetic-call.ts";

const sample = sampleRun();

describe("renderResults", () => {
  it("is versioned JSON with verdicts, figures, scenarios and calls", () => {
    const results = JSON.parse(renderResults(sample.run)) as Record<string, unknown>;

    expect(results).toMatchObject({
      schema: "sidetone-results",
      version: RESULTS_VERSION,
      verdicts: { pass: 1, fail: 1, inconclusive: 1, unsupported: 0, broken: 0 },
      seed: "20261122",
    });
    expect(results["calls"]).toHaveLength(3);
    expect(results["scenarios"]).toHaveLength(3);
  });
});

describe("renderSummary", () => {
  it("shows each scenario's verdict, why it failed, and the figures", () => {
    const summary = renderSummary(sample.run);

    expect(summary).toMatch(/^ {2}pass +The bot answers a question +9\.2 s$/mu);
    expect(summary).toMatch(/^ {2}FAIL /mu);
    expect(summary).toContain("ERR_LATENCY_ABOVE_LIMIT: barge-in stop latency: expected ≤ 300 ms");
    expect(summary).toMatch(/Response latency, heard +1 +\d+ ms/u);
    expect(summary).toContain("3 scenarios: 1 pass, 1 fail, 1 inconclusive");
    expect(summary).not.toContain("\u001b");
  });

  it("says that nothing ran", () => {
    expect(renderSummary({ ...sample.run, scenarios: [], calls: [] })).toContain(
      "0 scenarios: none ran",
    );
  });
});

describe("writeReport", () => {
  it("writes the page and the results", async () => {
    const files = new MemoryFiles();

    const paths = await writeReport(files, "reports", sample);

    expect(paths).toEqual({ page: "reports/index.html", results: "reports/results.json" });
    expect(await files.readText(paths.page)).toMatch(/^<!doctype html>/u);
  });
});

describe("readCallFolder", () => {
  it("gives back a record with the same figures, to the last bit", async () => {
    const record = withBotRecording();
    const files = await folderOf(record);

    const again = await readCallFolder(files, "calls/001");

    expect(JSON.stringify(measureCall(again))).toBe(JSON.stringify(measureCall(record)));
    expect(again.botAudio).toBeDefined();
  });

  it("refuses a folder of a newer version", async () => {
    const record = withBotRecording();
    const files = await folderOf({
      ...record,
      description: { ...record.description, version: 99 },
    });

    await expect(readCallFolder(files, "calls/001")).rejects.toMatchObject({
      code: "ERR_CALL_FOLDER_NEWER",
      fault: "usage",
    });
  });

  it("says what is wrong of a folder that was damaged", async () => {
    const files = await folderOf(withBotRecording());
    await files.write(`calls/001/${CALL_FILES.description}`, "{");

    await expect(readCallFolder(files, "calls/001")).rejects.toMatchObject({
      code: "ERR_CALL_FOLDER_MALFORMED",
    });
  });
});

function withBotRecording(): ReturnType<typeof syntheticCall> {
  return syntheticCall({
    originMs: 5_000.123_456,
    endMs: 4000,
    utterances: [{ id: "q", fromMs: 500, toMs: 1500 }],
    responses: [
      { id: "r", createdMs: 1510, playoutStartedMs: 1900, speech: [{ fromMs: 1910, toMs: 3600 }] },
    ],
    facts: (at) => [by("bot", { kind: "recordingStarted", at: at(0), sampleRateHz: 8000 })],
  });
}

async function folderOf(record: ReturnType<typeof syntheticCall>): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  const write = (name: string, data: Uint8Array | string): Promise<void> =>
    files.write(`calls/001/${name}`, data);
  await write(CALL_FILES.description, JSON.stringify(record.description));
  await write(CALL_FILES.timeline, encodeFacts(record.facts));
  for (const [name, audio] of [
    [CALL_FILES.audio, record.audio],
    [CALL_FILES.botAudio, record.botAudio],
  ] as const) {
    if (audio === undefined) continue;
    const { sampleRateHz, left, right } = audio;
    await write(name, encodeWav({ sampleRateHz, channels: [left, right] }));
  }
  return files;
}
