import { describe, expect, it } from "vitest";
import { analyseStudy, type StudyAnalysis } from "./analysis.ts";
import { type CallResult, failedCall } from "./call-result.ts";
import { RESULTS_LINE_VERSION, type StoredStudy } from "./results-file.ts";
import { seriesOf } from "./series.ts";
import { renderStudyPage } from "./study-page.ts";
import { renderStudyText } from "./study-text.ts";
import { cellsOf, planCalls, type Sweep } from "./sweep.ts";

const SWEEP: Sweep = {
  lossRatios: [0, 0.02],
  roundTripsMs: [80],
  burstPackets: [1],
  transports: ["tcp-modelled", "udp"],
  congestionControls: ["cubic"],
  preBuffersMs: [0],
  callsPerCell: 8,
  turnsPerCall: 3,
  aiFormat: "pcmu",
  time: "virtual",
  visqol: false,
  seed: "7",
};
const LOSSY_TCP = "tcp-modelled cubic, 2 % lost, 80 ms, pre-buffer 0 ms";

/** Three turns of 1000, 1010, 1020 ms and more with each repeat; a minute with half a minute's speech. */
function carried(call: ReturnType<typeof planCalls>[number], laterMs: number): CallResult {
  return {
    ...failedCall(call, ""),
    failure: undefined as never,
    durationMs: 60_000,
    botSpeechMs: 30_000,
    turns: [0, 1, 2].map((index) => ({
      index,
      isMissed: false,
      isUncertain: false,
      responseLatencyMs: 1000 + 10 * index + call.repeat + laterMs,
    })),
    stops: [{ index: 2, outcome: "yielded", stopLatencyMs: 300 + laterMs }],
  };
}

/** By TCP every lossy call is 200 ms later, has two stalls and a gap of 150 ms. */
function study(change: (result: CallResult) => CallResult = (result) => result): StoredStudy {
  const results = planCalls(cellsOf(SWEEP), SWEEP).map((call) => {
    if (call.cell.id !== LOSSY_TCP) return carried(call, 0);
    return change({
      ...carried(call, 200),
      gaps: { count: 1, ms: 150 },
      playoutStallsMs: [180],
      pathStalls: [
        { direction: "received", overdueMs: 220, causes: ["retransmissionTimeout"] },
        { direction: "received", overdueMs: 90, causes: ["fastRetransmission"] },
        { direction: "sent", overdueMs: 500, causes: ["tailLossProbe"] },
      ],
      tcp: { segments: 100, retransmissions: 2, tailLossProbes: 0, timeouts: 1 },
    });
  });
  return {
    header: {
      schema: "sidetone-hol",
      version: RESULTS_LINE_VERSION,
      sidetoneVersion: "0.2.0",
      node: "v20.19.0",
      platform: "linux x64",
      startedAt: "2026-01-01T00:00:00.000Z",
      sweep: SWEEP,
      skipped: [{ transport: "tcp-kernel bbr", reason: "no <root>" }],
    },
    results,
  };
}

function lossyTcp({ cells }: StudyAnalysis): StudyAnalysis["cells"][number] {
  const found = cells.find(({ cell }) => cell.id === LOSSY_TCP);
  if (found === undefined) throw new Error("not there");
  return found;
}

describe("the analysis of a study", () => {
  it("takes each cell's figures, with intervals, of the AI's stalls alone", () => {
    const analysis = analyseStudy(study());
    expect(analysis.cells.map(({ cell }) => cell.id)).toEqual(cellsOf(SWEEP).map(({ id }) => id));
    const cell = lossyTcp(analysis);
    expect(cell).toMatchObject({
      isModelled: true,
      calls: 8,
      failed: [],
      turns: 24,
      missed: { count: 0, total: 24 },
      tcp: { segments: 800, retransmissions: 16, timeouts: 8 },
    });
    expect(cell.responseLatencyMs?.p50).toBeCloseTo(1213.5, 1);
    expect(cell.responseLatencyMs?.p50Interval?.low).toBeLessThan(1213.5);
    // Every call is alike in these: the interval has no width.
    expect(cell.pathStallsPerMinute).toMatchObject({ perMinute: 1, interval: { low: 1, high: 1 } });
    expect(cell.gapsPerMinute?.perMinute).toBe(2);
    expect(cell.gapMsPerMinute?.perMinute).toBe(300);
    expect(cell.playoutStallsPerMinute?.perMinute).toBe(2);
    expect(Object.fromEntries(cell.stallCauses)).toEqual({
      retransmissionTimeout: 0.5,
      fastRetransmission: 0.5,
    });
    expect(analyseStudy(study())).toEqual(analysis);
  });

  it("compares TCP with UDP question by question, not average by average", () => {
    const { comparisons } = analyseStudy(study());
    expect(comparisons.map(({ tcp }) => tcp.id)).toEqual([
      "tcp-modelled cubic, 0 % lost, 80 ms, pre-buffer 0 ms",
      LOSSY_TCP,
    ]);
    expect(comparisons[0]?.responseLatencyMs).toMatchObject({ n: 24, min: 0, max: 0 });
    expect(comparisons[1]?.responseLatencyMs).toMatchObject({ n: 24, min: 200, max: 200 });
    expect(comparisons[1]?.bargeInStopMs).toMatchObject({ n: 8, p50: 200 });
  });

  it("leaves calls out in which the machine kept no time, and says how many", () => {
    const shaken = study((call) => (call.repeat < 6 ? { ...call, isUnhealthy: true } : call));
    const cell = lossyTcp(analyseStudy(shaken));
    expect(cell).toMatchObject({ calls: 8, unhealthy: 6, turns: 6 });
    expect(cell.pathStallsPerMinute).toEqual({ perMinute: 1 });
    expect(analyseStudy(shaken).comparisons[1]?.responseLatencyMs.n).toBe(6);
  });

  it("counts what failed and what was missed, and has no figures of nothing", () => {
    const broken = study((call) => ({
      ...call,
      failure: "ERR_AI_CLOSED",
      durationMs: 0,
      botSpeechMs: 0,
      stops: [{ index: 2, outcome: "noYield" }],
      turns: [{ index: 0, isMissed: true, isUncertain: false }],
    }));
    const cell = lossyTcp(analyseStudy(broken));
    expect(cell.failed).toHaveLength(8);
    expect(cell.missed).toMatchObject({ count: 8, total: 8 });
    expect(cell.notYielded).toMatchObject({ count: 8, total: 8 });
    expect(cell.responseLatencyMs).toBeUndefined();
    expect(cell.gapsPerMinute).toBeUndefined();
    expect(renderStudyText(broken, analyseStudy(broken))).toContain("8 calls failed");
  });

  it("puts the point without loss on the line of each loss model", () => {
    const sweep = { ...SWEEP, burstPackets: [1, 3] };
    const results = planCalls(cellsOf(sweep), sweep).map((call) => carried(call, 0));
    const { cells } = analyseStudy({ header: { ...study().header, sweep }, results });
    expect(seriesOf(cells).map(({ name, cells: own }) => [name, own.length])).toEqual([
      ["tcp-modelled cubic (modelled), single losses", 2],
      ["tcp-modelled cubic (modelled), runs of 3", 2],
      ["udp, single losses", 2],
      ["udp, runs of 3", 2],
    ]);
  });
});

describe("a study's page", () => {
  it("loads nothing, labels what is modelled, escapes, and holds the raw lines", () => {
    const page = renderStudyPage(study(), analyseStudy(study()));
    expect(page).toContain("tcp-modelled cubic (modelled)");
    expect(page).toContain("made with a model of Linux&#39;s TCP");
    expect(page).toContain("Not studied: tcp-kernel bbr. no &lt;root&gt;");
    expect(page).not.toMatch(/<script(?! type="application\/json")|<link(?! rel="icon")|https?:/u);
    const raw = /id="study-data">(?<json>.*?)<\/script>/u.exec(page)?.groups?.["json"] ?? "";
    expect(JSON.parse(raw)).toEqual(JSON.parse(JSON.stringify(study())));
  });

  it("plots what was measured, and nothing that is no number", () => {
    const page = renderStudyPage(study(), analyseStudy(study()));
    // Seven figures and the distribution of stalls, one round trip.
    expect(page.match(/<svg class="plot"/gu)).toHaveLength(8);
    expect(page).not.toMatch(/NaN|Infinity|undefined/u);
    expect(page).toContain("tcp-modelled cubic (modelled), 2 %: 1.00 per minute [1.00, 1.00]");
  });

  it("says that it is not finished", () => {
    const { header, results } = study();
    const half = { header, results: results.slice(0, 20) };
    expect(renderStudyPage(half, analyseStudy(half))).toContain("Not finished: 20 of 32 calls");
    expect(renderStudyPage(study(), analyseStudy(study()))).not.toContain("Not finished");
  });

  it("stands before the first call has ended", () => {
    const empty = { ...study(), results: [] };
    expect(renderStudyPage(empty, analyseStudy(empty))).toContain("No call has been placed yet.");
  });
});
