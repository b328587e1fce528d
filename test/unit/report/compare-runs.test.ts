import { describe, expect, it } from "vitest";
import { UsageError } from "../../../src/environment/index.ts";
import {
  compareRuns,
  isWorse,
  RESULTS_VERSION,
  type RunSummary,
  readResults,
  renderComparison,
  renderResults,
} from "../../../src/report/index.ts";
import { MemoryFiles } from "./memory-files.ts";
import { HOSTILE_TEXT, sampleRun } from "./sample-run.ts";

const { run } = sampleRun();

/** `run` again, with each response `extraMs` later, and as many times over as asked for. */
function slower(extraMs: number, times: number): RunSummary {
  const copies = Array.from({ length: times }, (_, copy) => copy);
  return {
    ...run,
    runId: `slower-${extraMs}`,
    scenarios: copies.flatMap((copy) =>
      run.scenarios.map((scenario) => ({
        ...scenario,
        callIds: scenario.callIds.map((id) => `${id}-${copy}`),
      })),
    ),
    calls: copies.flatMap((copy) =>
      run.calls.map((call) => ({
        ...call,
        id: `${call.id}-${copy}`,
        metrics: {
          ...call.metrics,
          turns: call.metrics.turns.map((turn) => ({
            ...turn,
            ...(turn.responseLatencyMs === undefined
              ? {}
              : { responseLatencyMs: turn.responseLatencyMs + extraMs + copy }),
          })),
        },
      })),
    ),
  };
}

describe("compareRuns", () => {
  it("finds the later answers among everything else that stayed, and says that B is worse", () => {
    const comparison = compareRuns(slower(0, 8), slower(80, 8));
    const found = comparison.changes.filter(({ verdict }) => verdict === "rose");

    expect(found.map(({ id }) => id)).toContain("responseLatency");
    expect(found.every(({ id }) => id.startsWith("responseLatency"))).toBe(true);
    expect(found[0]?.difference).toBeCloseTo(80, 6);
    expect(isWorse(comparison)).toBe(true);
    expect(isWorse(compareRuns(slower(80, 8), slower(0, 8)))).toBe(false);
    expect(renderComparison(comparison)).toContain("WORSE (p");
  });

  it("finds nothing worse in a run compared with itself", () => {
    const comparison = compareRuns(run, run);

    expect(isWorse(comparison)).toBe(false);
    expect(comparison.changes.every(({ difference }) => difference === 0)).toBe(true);
    expect(renderComparison(comparison)).toContain("Nothing is worse in B");
  });

  it("hides shares of fewer than ten events, and gives what rounds to nothing no sign", () => {
    const [change] = compareRuns(run, run).changes;
    if (change === undefined) throw new Error("the sample has figures");
    const comparison = compareRuns(run, run);
    const shareOf = (events: number) =>
      renderComparison({
        ...comparison,
        changes: [
          {
            ...change,
            title: "Answered",
            unit: "share",
            statistic: "mean",
            n: { a: events, b: events },
            a: 0.5,
            b: 0.25,
            difference: -0.25,
          },
        ],
      });
    expect(shareOf(9)).toMatch(/Answered +of 9 +of 9 +– +– +9 and 9/u);
    expect(shareOf(10)).toMatch(/Answered +50 % +25 % +-25 %/u);

    const interval = { low: -0.4, high: 0.4, confidence: 0.95 } as const;
    const faint = { ...change, difference: 0.3, interval };
    const text = renderComparison({ ...comparison, changes: [faint] });
    expect(text).toMatch(/ 0 ms +0 ms … 0 ms /u);
  });

  it("names verdicts, scenarios and circumstances that differ", () => {
    const [first, second, third] = run.scenarios;
    const other: RunSummary = {
      ...run,
      versions: { ...run.versions, node: "v24.1.0" },
      scenarios: [
        { ...(first as NonNullable<typeof first>), verdict: "fail" },
        second as NonNullable<typeof second>,
        { ...(third as NonNullable<typeof third>), name: "A new scenario" },
      ],
    };
    const comparison = compareRuns(run, other);

    expect(comparison.verdicts).toEqual([
      {
        scenario: "first-call.feature: The bot answers a question",
        a: "pass",
        b: "fail",
        isWorse: true,
      },
    ]);
    expect(comparison.onlyIn.b).toEqual(["first-call.feature: A new scenario"]);
    expect(comparison.circumstances).toEqual([{ name: "node", a: "v20.20.2", b: "v24.1.0" }]);
    expect(isWorse(comparison)).toBe(true);
  });

  it("prints what a scenario is called without the terminal's control characters", () => {
    const hostile: RunSummary = { ...run, runId: `\u001b[2J${HOSTILE_TEXT}` };

    expect(renderComparison(compareRuns(hostile, run))).not.toContain("\u001b");
  });
});

async function codeOf(text: string): Promise<string | undefined> {
  const files = new MemoryFiles();
  await files.write("run/results.json", text);
  return readResults(files, "run").then(
    () => undefined,
    (error: unknown) => (error instanceof UsageError ? error.code : String(error)),
  );
}

describe("readResults", () => {
  const results = renderResults(run);

  it("reads what renderResults wrote, by folder or by file", async () => {
    const files = new MemoryFiles();
    await files.write("run/results.json", results);

    expect((await readResults(files, "run")).calls).toEqual(
      JSON.parse(JSON.stringify(run.calls)) as unknown,
    );
    expect((await readResults(files, "run/results.json")).runId).toBe(run.runId);
  });

  it("reads runs of before delays and echoes were measured, so that they can be compared", async () => {
    const files = new MemoryFiles();
    const older = JSON.parse(results) as { calls: { metrics: Record<string, unknown> }[] };
    for (const { metrics } of older.calls) {
      delete metrics["delays"];
      delete metrics["echoes"];
    }
    await files.write("run/results.json", JSON.stringify(older));

    const { changes } = compareRuns(await readResults(files, "run"), run);
    expect(changes.map(({ id }) => id)).toContain("responseLatency");
  });

  it.each([
    ["cut short", results.slice(0, 400), "ERR_RESULTS_MALFORMED"],
    ["something else", "[]", "ERR_RESULTS_MALFORMED"],
    ["another schema", `{"schema":"other"}`, "ERR_RESULTS_MALFORMED"],
    ["without version", `{"schema":"sidetone-results"}`, "ERR_RESULTS_MALFORMED"],
    ["without calls", `{"schema":"sidetone-results","version":1}`, "ERR_RESULTS_MALFORMED"],
    ["with a call without metrics", results.replaceAll('"turns"', '"t"'), "ERR_RESULTS_MALFORMED"],
    [
      "with a scenario without calls",
      results.replaceAll('"callIds"', '"c"'),
      "ERR_RESULTS_MALFORMED",
    ],
    [
      "of a newer version",
      results.replace(`"version": ${RESULTS_VERSION}`, `"version": ${RESULTS_VERSION + 1}`),
      "ERR_RESULTS_NEWER",
    ],
  ])("refuses a file that is %s", async (_, text, code) => {
    expect(await codeOf(text)).toBe(code);
  });

  it("says that a file is missing", async () => {
    await expect(readResults(new MemoryFiles(), "nowhere")).rejects.toMatchObject({
      code: "ERR_FILE_MISSING",
    });
  });
});
