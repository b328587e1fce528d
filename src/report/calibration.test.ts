import { describe, expect, it } from "vitest";
import {
  CALIBRATION_VERSION,
  type Calibration,
  distributionsOf,
  type FigureError,
} from "./calibration.ts";
import { calibrationNote } from "./calibration-note.ts";
import { readCalibration, writeCalibration } from "./calibration-store.ts";
import { renderCalibration } from "./calibration-text.ts";

const NOW_MS = 1_800_000_000_000;
const HERE = { host: "desk", sidetoneVersion: "0.1.0", nowMs: NOW_MS };

function error(changes: Partial<FigureError> = {}): FigureError {
  return {
    figure: "responseLatency",
    errorMs: 1,
    statedErrorMs: 20,
    isHealthy: true,
    isUncertain: false,
    hasLostEdge: false,
    ...changes,
  };
}

function calibration(errors: readonly FigureError[]): Calibration {
  return {
    schema: "sidetone-calibration",
    version: CALIBRATION_VERSION,
    abruptEdgeMs: 2.5,
    sidetoneVersion: "0.1.0",
    node: "v20",
    platform: "linux",
    host: "desk",
    // Of 2027-01-14, a day before now.
    madeAt: "2027-01-14T08:00:00.000Z",
    seed: "s",
    conditions: [
      {
        name: "no loss",
        calls: 10,
        discarded: 0,
        lossPercent: 0,
        figures: distributionsOf(errors, "s"),
        machine: {
          departureJitterMsP99: 1,
          departureJitterMsMax: 2,
          eventLoopLagMsP99: 3,
          eventLoopLagMsMax: 4,
          missedDeadlines: 0,
          unhealthyCalls: 0,
        },
      },
    ],
  };
}

/** A file store of one file. */
function storeOf(text: string | undefined) {
  let held = text;
  return {
    read: () => Promise.resolve(new TextEncoder().encode(held)),
    readText: () => Promise.resolve(held ?? ""),
    write: (_: string, data: Uint8Array | string) => {
      held = String(data);
      return Promise.resolve();
    },
    append: () => Promise.resolve(),
    exists: () => Promise.resolve(held !== undefined),
    list: () => Promise.resolve([]),
  };
}

function verdictOf(errors: readonly FigureError[]): string | undefined {
  return distributionsOf(errors, "s")[0]?.verdict;
}

describe("the distribution of errors", () => {
  it("meets its goal, misses it, or cannot tell", () => {
    expect(verdictOf([error(), error({ errorMs: -3.9 })])).toBe("met");
    expect(verdictOf([error(), error({ errorMs: -4.5 })])).toBe("missed");
    expect(verdictOf([error({ isHealthy: false, errorMs: 50 })])).toBe("inconclusive");
    expect(verdictOf([error({ figure: "onset", errorMs: 50 })])).toBe("no goal");
  });

  it("does not count as met what was not measured", () => {
    const { errorMs: _, ...unmeasured } = error();
    expect(verdictOf([error(), unmeasured])).toBe("missed");
    expect(verdictOf([{ ...unmeasured, figure: "digits" }])).toBe("missed");
  });

  it("keeps the calls of an unsteady machine apart, but not their error bars", () => {
    const [found] = distributionsOf(
      [error(), error(), error({ isHealthy: false, errorMs: 60, statedErrorMs: 50 })],
      "s",
    );
    expect(found).toMatchObject({ n: 2, inconclusive: 1, verdict: "met" });
    expect(found).toMatchObject({ compared: 3, withinBar: 2 });
  });

  it("shows the bias with its sign and the size of the error without", () => {
    const [found] = distributionsOf([error({ errorMs: -2 }), error({ errorMs: -1 })], "s");
    expect(found?.meanMs).toBe(-1.5);
    expect(found?.absolute?.maxMs).toBe(2);
  });
});

describe("the note on a stored calibration", () => {
  it("says what was found and warns of nothing while it holds", () => {
    const note = calibrationNote(calibration([error()]), HERE);
    expect(note.warnings).toEqual([]);
    expect(note.lines[0]).toContain("response latency ± 1.0 ms (p99)");
  });

  it("warns where it is missing, old, of another machine or of another version", () => {
    const stored = calibration([error()]);
    const warned = (changes: Partial<Calibration>): string =>
      calibrationNote({ ...stored, ...changes }, HERE).warnings.join();
    expect(calibrationNote(undefined, HERE).warnings.join()).toContain("never calibrated");
    expect(warned({ host: "other" })).toContain("another machine");
    expect(warned({ sidetoneVersion: "0.0.9" })).toContain("0.0.9");
    expect(warned({ version: 1 })).toContain("earlier");
    expect(warned({ madeAt: "2026-11-01T00:00:00Z" })).toContain("older than 30 days");
    expect(warned({ madeAt: "2028-01-01T00:00:00Z" })).toContain("in the future");
  });
});

describe("a stored calibration", () => {
  it("is read as it was written, and is absent where there is no file", async () => {
    const files = storeOf(undefined);
    expect(await readCalibration(files, "c.json")).toBeUndefined();
    await writeCalibration(files, "c.json", calibration([error()]));
    const stored = await readCalibration(files, "c.json");
    expect(stored).toEqual(calibration([error()]));
    expect(renderCalibration(stored as Calibration)).toContain("response latency");
  });

  it.each([
    ["no JSON", "{", "ERR_CALIBRATION_MALFORMED"],
    ["null", "null", "ERR_CALIBRATION_MALFORMED"],
    ["another file", '{"schema":"sidetone-results"}', "ERR_CALIBRATION_MALFORMED"],
    ["half of one", '{"schema":"sidetone-calibration","version":1}', "ERR_CALIBRATION_MALFORMED"],
    ["a newer one", '{"schema":"sidetone-calibration","version":99}', "ERR_CALIBRATION_NEWER"],
  ])("is refused where it is %s", async (_, text, code) => {
    await expect(readCalibration(storeOf(text), "c.json")).rejects.toMatchObject({ code });
  });
});
