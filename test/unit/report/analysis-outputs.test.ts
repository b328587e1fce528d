import { describe, expect, it } from "vitest";
import {
  analyseRecording,
  type RecordingAnalysis,
  WavReader,
} from "../../../src/analysis/index.ts";
import { type Instant, isSidetoneError } from "../../../src/environment/index.ts";
import { type CallRecord, measureCall } from "../../../src/measure/index.ts";
import {
  audacityLabels,
  checkCallFolder,
  renderCallText,
  renderMetricsJson,
  renderRecordingJson,
  renderRecordingPage,
  renderRecordingText,
  requireCallFolder,
} from "../../../src/report/index.ts";
import type { Fact } from "../../../src/timeline/index.ts";
import { inBlocks, interleaved, madeWav, speech } from "../analysis/made-wav.ts";
import { MemoryFiles } from "./memory-files.ts";
import { HOSTILE_TEXT, sampleRun } from "./sample-run.ts";
import { by, type CallPlan, syntheticCall } from "./synthetic-call.ts";

const PLAN: CallPlan = {
  endMs: 8000,
  utterances: [{ id: "question", fromMs: 2000, toMs: 3000 }],
  responses: [
    {
      id: "answer",
      playoutStartedMs: 3500,
      playoutEndedMs: 5000,
      speech: [{ fromMs: 3600, toMs: 5000 }],
    },
  ],
};

async function recording(name = "call.wav"): Promise<RecordingAnalysis> {
  const left = speech(
    [
      [3000, 4000],
      [9000, 11_000],
    ],
    14_000,
    { seed: "left" },
  );
  const right = speech(
    [
      [500, 2500],
      [4700, 9500],
      [11_700, 13_000],
    ],
    14_000,
    { seed: "right" },
  );
  const bytes = madeWav({ data: interleaved(left, right) });
  return analyseRecording({
    stereo: { name, reader: await WavReader.open(inBlocks(bytes), name) },
  });
}

async function codeOf(run: Promise<unknown>): Promise<string> {
  try {
    await run;
    return "none";
  } catch (error) {
    if (!isSidetoneError(error)) throw error;
    return error.code;
  }
}

async function checked(record: CallRecord, stored?: string): Promise<string[]> {
  const files = new MemoryFiles();
  if (stored !== undefined) await files.write("call/metrics.json", stored);
  return checkCallFolder(files, "call", { record, metrics: measureCall(record) });
}

/** An agent tells of its event loop. */
function beat(at: Instant, lagMs: number): Fact {
  return by("caller", {
    kind: "instrument",
    at,
    eventLoopLagMsP99: lagMs,
    eventLoopLagMsMax: lagMs,
  });
}

/** A call that tells nothing for 17 s, then that its loop was blocked for so long. */
function silentCall(lagMs: number): CallRecord {
  return syntheticCall({
    ...PLAN,
    endMs: 20_000,
    facts: (at) => [beat(at(1000), 1), beat(at(2000), 1), beat(at(19_000), lagMs)],
  });
}

describe("outputs of the analysis of a recording", () => {
  it("tell turns, interruptions, silences and levels on the terminal, and no claimed figure", async () => {
    const text = renderRecordingText(await recording());

    expect(text).toMatch(/00:04\.00\d +(?:69|70)\d ms \(± /u);
    expect(text).toMatch(/interruption: yielded after (?:49|50)\d ms/u);
    expect(text).toMatch(/Caller turns answered +2 of 2/u);
    expect(text).toMatch(/left of call\.wav \(16-bit PCM, 8000 Hz\)/u);
    expect(text).not.toContain("claimed");
  });

  it("are versioned JSON without the picture", async () => {
    const json = JSON.parse(renderRecordingJson(await recording())) as Record<string, unknown>;

    expect(json).toMatchObject({ schema: "sidetone-analysis", version: 1, concerns: [] });
    expect(JSON.stringify(json)).not.toContain("extremes");
    expect(JSON.stringify(json)).not.toContain("claimedLatency");
  });

  it("are a page of its own that escapes what it is given and draws both sides", async () => {
    const page = renderRecordingPage(await recording(HOSTILE_TEXT), undefined);

    expect(page).toMatch(/^<!doctype html>/u);
    expect(page).not.toContain(HOSTILE_TEXT);
    expect(page).not.toMatch(/<script>alert/u);
    expect(page).not.toMatch(/(?:src|href)="https?:/u);
    const data = /<script type="application\/json" id="sidetone-data">(.*?)<\/script>/su.exec(page);
    const { charts } = JSON.parse(data?.[1] ?? "") as {
      charts: { caller: string; bot: string; brackets: unknown[]; botSpeech: unknown[] }[];
    };
    expect(charts).toHaveLength(1);
    // 14 s in bins of 10 ms, a minimum and a maximum each.
    expect(Buffer.from(charts[0]?.caller ?? "", "base64")).toHaveLength(2 * 1400);
    expect(charts[0]?.botSpeech).toHaveLength(3);
    expect(charts[0]?.brackets).toHaveLength(3);
  });

  it("are label tracks that Audacity reads: seconds, seconds, one line of text", async () => {
    const { caller, bot, turns } = audacityLabels((await recording()).metrics);
    const line = /^\d+\.\d{6}\t\d+\.\d{6}\t[^\t\n]+$/u;

    for (const track of [caller, bot, turns]) {
      for (const label of track.trimEnd().split("\n")) {
        expect(label).toMatch(line);
        const [from, to] = label.split("\t").map(Number);
        expect(to).toBeGreaterThanOrEqual(from ?? Number.NaN);
      }
    }
    expect(caller.split("\n")).toHaveLength(3);
    expect(bot.split("\n")).toHaveLength(4);
    expect(turns).toMatch(/\tresponse (?:69|70)\d ms\n/u);
    expect(turns).toMatch(/\tstop (?:49|50)\d ms\n/u);
  });
});

describe("checkCallFolder", () => {
  it("says that the figures are the same to the byte, or what differs", async () => {
    const record = syntheticCall(PLAN);
    const text = renderMetricsJson(measureCall(record));

    expect(await checked(record, text)).toEqual([
      "The same figures as in metrics.json, to the byte.",
    ]);
    expect(await checked(record)).toEqual(["There is no metrics.json to compare with."]);
    const other = text.replace(/"talkOverMs": 0/u, '"talkOverMs": 7');
    expect((await checked(record, other))[0]).toMatch(
      /! Not the figures .*Different: conversation/u,
    );
    expect((await checked(record, "{"))[0]).toContain("It is not JSON");
  });

  it("refuses channels that are swapped against the script", async () => {
    const record = syntheticCall(PLAN);
    const { audio } = record;
    if (audio === undefined) throw new Error("the plan has audio");
    const swapped = { ...record, audio: { ...audio, left: audio.right, right: audio.left } };

    expect(await codeOf(checked(swapped))).toBe("ERR_RECORDING_SWAPPED");
  });

  it("refuses a recording that is gone, and one that the clock does not fit", async () => {
    const { audio, botAudio, ...record } = syntheticCall(PLAN);
    expect(await codeOf(checked(record))).toBe("ERR_CALL_FOLDER_INCOMPLETE");
    if (audio === undefined || botAudio === undefined) throw new Error("the plan has audio");
    const cut = { ...audio, left: audio.left.slice(0, 8000), right: audio.right.slice(0, 8000) };
    expect(await codeOf(checked({ ...record, audio: cut }))).toBe("ERR_TIMELINE_CLOCK");
  });

  it("refuses a timeline in which a live agent was silent, unless its loop was blocked", async () => {
    expect(await codeOf(checked(silentCall(1)))).toBe("ERR_TIMELINE_CLOCK");
    expect(await codeOf(checked(silentCall(16_000)))).toBe("none");
  });

  it("accepts the calls of a run, recordings or not", async () => {
    for (const record of sampleRun().records) expect(await codeOf(checked(record))).toBe("none");
    const noRecording = syntheticCall({ ...PLAN, withAudio: false });
    const stored = renderMetricsJson(measureCall(noRecording));
    expect(await codeOf(checked(noRecording, stored))).toBe("none");
  });
});

describe("requireCallFolder", () => {
  it("tells a run's folder, another folder and half a call's folder apart", async () => {
    const files = new MemoryFiles();
    await files.write("run/results.json", "{}");
    await files.write("run/calls/001/call.json", "{}");
    await files.write("half/timeline.jsonl", "");

    expect(await codeOf(requireCallFolder(files, "run"))).toBe("ERR_CALL_FOLDER_NONE");
    await expect(requireCallFolder(files, "run")).rejects.toThrow("run/calls/001");
    expect(await codeOf(requireCallFolder(files, "nowhere"))).toBe("ERR_CALL_FOLDER_NONE");
    expect(await codeOf(requireCallFolder(files, "half"))).toBe("ERR_CALL_FOLDER_INCOMPLETE");
    await files.write("half/call.json", "{}");
    expect(await codeOf(requireCallFolder(files, "half"))).toBe("none");
  });
});

describe("renderCallText", () => {
  it("tells the figures of a call, claimed ones too, and what was noted", () => {
    const [call] = sampleRun().run.calls;
    if (call === undefined) throw new Error("the sample has calls");
    const text = renderCallText(call.metrics, ["The same figures."]);

    expect(text).toContain("  The same figures.");
    expect(text).toMatch(/Response latency, heard +1 +\d/u);
  });
});
