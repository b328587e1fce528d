import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import {
  agreedOf,
  analyseStudy,
  modelBesideKernel,
  readStudy,
  type StoredStudy,
  type StudyAnalysis,
  studiesBeside,
} from "../../../src/lab/index.ts";
import type { Statistics } from "../../../src/measure/index.ts";
import { NodeFileStore } from "../../../src/platform/index.ts";

/** The studies that we publish; their README makes claims by these names. */
const FOLDER = `${import.meta.dirname}/../../../examples/head-of-line`;

type CellSummary = StudyAnalysis["cells"][number];

let study: StoredStudy;
let analysis: StudyAnalysis;
let readme: string;

beforeAll(async () => {
  study = await stored("study");
  analysis = analyseStudy(study);
  readme = await readFile(`${FOLDER}/README.md`, "utf8");
});

async function stored(name: string): Promise<StoredStudy> {
  const found = await readStudy(new NodeFileStore(), `${FOLDER}/${name}`);
  if (found === undefined) throw new Error(`There is no study in ${FOLDER}/${name}.`);
  return found;
}

/** The cell of a carrier ("tcp-kernel cubic", "udp"), a loss in per cent, and a round trip in ms. */
function cellOf(carrier: string, lossPercent: number, roundTripMs: number): CellSummary {
  const id = `${carrier}, ${lossPercent} % lost, ${roundTripMs} ms, pre-buffer 0 ms`;
  const found = analysis.cells.find(({ cell }) => cell.id === id);
  if (found === undefined) throw new Error(`There is no cell "${id}".`);
  return found;
}

function response(cell: CellSummary): Statistics {
  if (cell.responseLatencyMs === undefined) throw new Error(`${cell.cell.id} has no latencies.`);
  return cell.responseLatencyMs;
}

/** The bounds of a rate's interval, per minute. */
function bounds(rate: CellSummary["pathStallsPerMinute"]): { low: number; high: number } {
  if (rate?.interval === undefined) throw new Error("The rate has no interval.");
  return rate.interval;
}

const CARRIERS = ["tcp-kernel cubic", "tcp-kernel bbr", "tcp-modelled cubic", "udp"];
const LOSSES = [0, 1, 5];
const ROUND_TRIPS_MS = [20, 200];

describe("the published study of head-of-line blocking", () => {
  it("has every cell that it says, with 200 questions and intervals, half of them of a kernel", () => {
    for (const carrier of CARRIERS) {
      for (const loss of LOSSES) {
        for (const roundTripMs of ROUND_TRIPS_MS) {
          const cell = cellOf(carrier, loss, roundTripMs);
          expect(cell.turns).toBeGreaterThanOrEqual(200);
          expect(response(cell).p50Interval).toBeDefined();
          expect(response(cell).p95Interval).toBeDefined();
          expect(cell.gapsPerMinute?.interval).toBeDefined();
          expect(cell.failed).toEqual([]);
        }
      }
    }
    expect(analysis.cells).toHaveLength(24);
    expect(analysis.cells.filter(({ cell }) => cell.transport === "tcp-kernel")).toHaveLength(12);
  });

  it("lost what it says", () => {
    for (const { cell, packets } of analysis.cells) {
      const lost = packets.lost / packets.offered;
      expect(Math.abs(lost - cell.lossRatio)).toBeLessThan(0.1 * cell.lossRatio + 1e-9);
    }
  });
});

/** By how much p95 is later at 5 % than without loss, at 200 ms. */
function later(carrier: string): number {
  return response(cellOf(carrier, 5, 200)).p95 - response(cellOf(carrier, 0, 200)).p95;
}

/** Which share of the interruptions did not stop the bot, at 5 % and 200 ms. */
function notYielded(carrier: string): number {
  const { count, total } = cellOf(carrier, 5, 200).notYielded;
  return count / total;
}

/** What the README says, by the letters by which it says it. */
const CLAIMS: Readonly<Record<string, () => void>> = {
  A: () => {
    for (const carrier of ["tcp-kernel cubic", "tcp-modelled cubic"]) {
      const cell = cellOf(carrier, 0, 200);
      expect(bounds(cell.pathStallsPerMinute).low).toBeGreaterThan(10);
      expect(bounds(cell.gapsPerMinute).low).toBeGreaterThan(7);
      expect(bounds(cellOf(carrier, 0, 20).pathStallsPerMinute).high).toBeLessThan(1);
      expect(bounds(cellOf(carrier, 0, 20).gapsPerMinute).high).toBeLessThan(1);
    }
    expect(cellOf("tcp-kernel cubic", 0, 200).stallCauses.get("congestionWindow")).toBeGreaterThan(
      0.95,
    );
  },
  B: () => {
    const cell = cellOf("tcp-kernel bbr", 0, 200);
    expect(bounds(cell.pathStallsPerMinute).high).toBeLessThan(1.5);
    expect(bounds(cell.gapsPerMinute).high).toBeLessThan(1);
  },
  C: () => {
    for (const carrier of CARRIERS) {
      const [clean, lossy] = [response(cellOf(carrier, 0, 20)), response(cellOf(carrier, 5, 20))];
      expect(Math.abs(lossy.p50 - clean.p50)).toBeLessThan(40);
      expect(bounds(cellOf(carrier, 5, 20).gapsPerMinute).high).toBeLessThan(1);
    }
  },
  D: () => {
    expect(later("tcp-kernel cubic")).toBeGreaterThan(500);
    expect(later("tcp-kernel bbr")).toBeGreaterThan(300);
    expect(later("tcp-kernel bbr")).toBeLessThan(later("tcp-kernel cubic"));
    expect(later("udp")).toBeLessThan(50);
    expect(notYielded("tcp-kernel cubic")).toBeGreaterThan(0.4);
    expect(notYielded("tcp-kernel bbr")).toBe(0);
    expect(notYielded("udp")).toBe(0);
  },
  E: () => {
    for (const loss of LOSSES) {
      for (const roundTripMs of ROUND_TRIPS_MS) {
        const udp = cellOf("udp", loss, roundTripMs);
        expect(bounds(udp.gapsPerMinute).high).toBeLessThan(1);
        expect(udp.pathStallsPerMinute?.perMinute).toBe(0);
      }
    }
    for (const carrier of ["tcp-kernel cubic", "tcp-kernel bbr"]) {
      const earlier = response(cellOf("udp", 0, 20)).p50 - response(cellOf(carrier, 0, 20)).p50;
      expect(earlier).toBeGreaterThan(90);
      expect(earlier).toBeLessThan(180);
    }
    expect(response(cellOf("tcp-kernel cubic", 5, 200)).p50Interval?.low).toBeGreaterThan(
      response(cellOf("udp", 5, 200)).p50Interval?.high ?? Number.NaN,
    );
  },
  F: () => {
    const { agreed, compared } = agreedOf(modelBesideKernel(analysis.cells));
    expect(compared).toBe(30);
    expect(agreed).toBeGreaterThanOrEqual(23);
  },
};

describe("the README of the study", () => {
  it("makes the claims that are checked here, and no others", () => {
    const made = [...readme.matchAll(/^- \*\*([A-Z])\*\* /gmu)].map(([, letter]) => letter);
    expect(made).toEqual([...Object.keys(CLAIMS), "G"]);
  });

  it.each(Object.entries(CLAIMS))("claim %s holds in the raw data", (_letter, holds) => {
    expect(holds).not.toThrow();
  });

  it("claim G holds: virtual time tells what real sockets tell", async () => {
    const [real, virtual] = [await stored("real"), await stored("virtual")];
    const { callsPerCell } = real.header.sweep;
    expect(real.header.sweep).toEqual({ ...virtual.header.sweep, callsPerCell, time: "real" });
    const agreements = studiesBeside(analyseStudy(virtual).cells, analyseStudy(real).cells);
    expect(agreements).toHaveLength(4);
    const { agreed, compared } = agreedOf(agreements);
    expect(compared).toBeGreaterThanOrEqual(16);
    expect(agreed).toBe(compared);
  });
});
