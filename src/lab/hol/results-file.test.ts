import { describe, expect, it } from "vitest";
import type { FileStore } from "../../environment/index.ts";
import { AI_TRANSPORTS } from "../../impairment/index.ts";
import { type CallResult, failedCall } from "./call-result.ts";
import {
  appendResult,
  openStudy,
  RESULTS_LINE_VERSION,
  readStudy,
  type StudyHeader,
} from "./results-file.ts";
import { cellsOf, planCalls, type Sweep } from "./sweep.ts";

const SWEEP: Sweep = {
  lossRatios: [0.01],
  roundTripsMs: [20],
  burstPackets: [1],
  transports: ["tcp-modelled"],
  congestionControls: ["cubic"],
  preBuffersMs: [0],
  callsPerCell: 3,
  turnsPerCall: 5,
  aiFormat: "pcmu",
  time: "virtual",
  visqol: false,
  seed: "7",
};
const HEADER: StudyHeader = {
  schema: "sidetone-hol",
  version: RESULTS_LINE_VERSION,
  sidetoneVersion: "0.2.0",
  node: "v20.19.0",
  platform: "linux-x64",
  startedAt: "2026-01-01T00:00:00.000Z",
  sweep: SWEEP,
  skipped: [],
};
const PATH = "study/results.jsonl";
const RESULTS: readonly CallResult[] = planCalls(cellsOf(SWEEP), SWEEP).map((call) =>
  failedCall(call, "ERR_TEST"),
);

function memoryFiles(texts: Map<string, string>): FileStore {
  return {
    read: (path) => Promise.resolve(new TextEncoder().encode(texts.get(path))),
    readText: (path) => Promise.resolve(texts.get(path) ?? ""),
    write: (path, data) => {
      texts.set(path, String(data));
      return Promise.resolve();
    },
    append: (path, text) => {
      texts.set(path, (texts.get(path) ?? "") + text);
      return Promise.resolve();
    },
    exists: (path) => Promise.resolve(texts.has(path)),
    list: () => Promise.resolve([]),
  };
}

/** A study of two calls. */

async function begun(): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const files = memoryFiles(texts);
  await openStudy(files, "study", HEADER);
  await appendResult(files, "study", RESULTS[0] as CallResult);
  await appendResult(files, "study", RESULTS[1] as CallResult);
  return texts;
}

describe("the results of a study", () => {
  it("are a line for the header and one for each call, and go on where they ended", async () => {
    const texts = await begun();
    expect(texts.get(PATH)?.split("\n")).toHaveLength(4);
    const later = { ...HEADER, startedAt: "2026-01-02T00:00:00.000Z" };
    const study = await openStudy(memoryFiles(texts), "study", later);
    expect(study).toEqual({ header: HEADER, results: RESULTS.slice(0, 2) });
    expect(await readStudy(memoryFiles(texts), "elsewhere")).toBeUndefined();
  });

  it("lose no more than the line that was torn, and its end is put right", async () => {
    const texts = await begun();
    const whole = texts.get(PATH) ?? "";
    texts.set(PATH, whole.slice(0, -20));
    const study = await openStudy(memoryFiles(texts), "study", HEADER);
    expect(study.results).toEqual(RESULTS.slice(0, 1));
    await appendResult(memoryFiles(texts), "study", RESULTS[1] as CallResult);
    expect(texts.get(PATH)).toBe(whole);
  });

  it("begin again where even the header was torn", async () => {
    const texts = new Map([[PATH, '{"schema":"sidetone-hol","ver']]);
    expect((await openStudy(memoryFiles(texts), "study", HEADER)).results).toEqual([]);
    expect(texts.get(PATH)).toBe(`${JSON.stringify(HEADER)}\n`);
  });

  it("are kept where more calls of each cell are wanted than it was begun with", async () => {
    const texts = await begun();
    const wanted = { ...HEADER, node: "v99", sweep: { ...SWEEP, callsPerCell: 9 } };
    const study = await openStudy(memoryFiles(texts), "study", wanted);
    expect(study.results).toEqual(RESULTS.slice(0, 2));
    expect(study.header).toEqual({ ...HEADER, sweep: wanted.sweep });
    expect(await readStudy(memoryFiles(texts), "study")).toEqual(study);
  });

  it("are kept where more values are wanted of what is varied", async () => {
    const texts = await begun();
    const sweep = {
      ...SWEEP,
      lossRatios: [0, ...SWEEP.lossRatios],
      transports: [...AI_TRANSPORTS],
    };
    const skipped = [{ transport: "tcp-kernel cubic", reason: "no root" }];
    const study = await openStudy(memoryFiles(texts), "study", { ...HEADER, sweep, skipped });
    expect(study).toEqual({ header: { ...HEADER, sweep, skipped }, results: RESULTS.slice(0, 2) });
    expect(await readStudy(memoryFiles(texts), "study")).toEqual(study);
  });

  it.each([
    ["fewer calls", { sweep: { ...SWEEP, callsPerCell: 2 } }, /callsPerCell is 3, and now 2/u],
    ["another seed", { sweep: { ...SWEEP, seed: "8" } }, /its seed is "7", and now "8"/u],
    ["another sweep", { sweep: { ...SWEEP, lossRatios: [0.02] } }, /lossRatios is \[0.01\]/u],
    ["another Sidetone", { sidetoneVersion: "9.9.9" }, /Sidetone 0.2.0, this is 9.9.9/u],
    ["lines of another version", { version: 99 }, /version 1, these would be of 99/u],
  ])("are not mixed with those of %s", async (_what, change, message) => {
    const texts = await begun();
    const before = texts.get(PATH);
    await expect(openStudy(memoryFiles(texts), "study", { ...HEADER, ...change })).rejects.toThrow(
      message,
    );
    expect(texts.get(PATH)).toBe(before);
  });

  it.each([
    ["notes of somebody's", "my notes", /Line 1 .* is none of a study's/u],
    ["no JSON", `${JSON.stringify(HEADER)}\nmy notes\n`, /Line 2 .* is no JSON/u],
    ["another header", '{"schema":"other"}\n', /Line 1 .* is no header/u],
    ["another line", `${JSON.stringify(HEADER)}\n{"cell":1}\n`, /Line 2 .* is no call's result/u],
  ])("are refused where they are %s, and left as they are", async (_what, text, message) => {
    const texts = new Map([[PATH, text]]);
    await expect(openStudy(memoryFiles(texts), "study", HEADER)).rejects.toThrow(message);
    expect(texts.get(PATH)).toBe(text);
  });
});
