import { execFileSync } from "node:child_process";
import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeWav, encodeWav } from "../../src/audio/index.ts";
import type { CallMetrics } from "../../src/measure/index.ts";
import { type CliResult, resultOf, startCli } from "./cli-process.ts";

const SOX = isInstalled("sox") ? "sox" : undefined;

let folder = "";
let run: CliResult;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sidetone analyze "));
  run = await resultOf(startCli(["run", "features/interruption.feature", "--reports", folder]));
}, 60_000);

afterAll(() => rm(folder, { recursive: true }));

function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function analyze(...args: readonly string[]): Promise<CliResult> {
  return resultOf(startCli(["analyze", ...args]));
}

/** The call's folder, to be spoilt. */
async function copyOfCall(name: string): Promise<string> {
  const path = join(folder, name);
  await cp(run.report.path("calls/001"), path, { recursive: true });
  return path;
}

async function expectRefused(code: string, ...args: readonly string[]): Promise<string> {
  const { exitCode, output } = await analyze(...args);
  expect(output).toContain(code);
  expect(exitCode).toBe(2);
  return output;
}

describe("sidetone analyze of a call that was made", () => {
  it("gives the metrics of the live call to the byte", async () => {
    for (const id of ["001", "002"]) {
      const { exitCode, output } = await analyze(run.report.path(`calls/${id}`), "--json");

      expect(output).toBe(await run.report.text(`calls/${id}/metrics.json`));
      expect(exitCode).toBe(0);
    }
  });

  it("says so, with the figures, on the terminal", async () => {
    const { output } = await analyze(run.report.path("calls/001"));

    expect(output).toContain("The same figures as in metrics.json, to the byte.");
    expect(output).toMatch(/interruption: yielded after \d{3} ms/u);
    expect(output).toMatch(/Response latency, heard +\d/u);
  });

  it("says what differs where metrics.json is another's", async () => {
    const call = await copyOfCall("other metrics");
    const metrics = await readFile(join(call, "metrics.json"), "utf8");
    await writeFile(join(call, "metrics.json"), metrics.replace(/"talkOverMs": /u, "$&1"));

    expect((await analyze(call)).output).toMatch(/! Not the figures of .*Different: conversation/u);
  });

  it("hears in the recording alone what the call's own figures say", async () => {
    const metrics = await run.report.json<CallMetrics>("calls/001/metrics.json");
    const labels = join(folder, "my labels.txt");
    const page = join(folder, "page.html");
    const { output } = await analyze(
      run.report.path("calls/001/audio.wav"),
      "--json",
      "--labels",
      labels,
      "--html",
      page,
    );
    const heard = (JSON.parse(output) as { readonly metrics: CallMetrics }).metrics;

    expect(heard.turns).toHaveLength(metrics.turns.length);
    for (const [index, { responseLatencyMs = 0 }] of metrics.turns.entries()) {
      const alone = heard.turns[index]?.responseLatencyMs ?? Number.NaN;
      expect(Math.abs(alone - responseLatencyMs)).toBeLessThan(15);
    }
    expect(heard.bargeIns.map(({ outcome }) => outcome)).toEqual(["yielded"]);
    const tracks = join(folder, "my labels-turns.txt");
    expect(await readFile(tracks, "utf8")).toMatch(/^\d+\.\d{6}\t\d+\.\d{6}\tresponse \d+ ms$/mu);
    expect(await readFile(page, "utf8")).toContain("data:audio/wav;base64,");
  });

  it("refuses a folder that lacks a file, has its sides swapped, or holds no call", async () => {
    const lacking = await copyOfCall("no timeline");
    await rm(join(lacking, "timeline.jsonl"));
    expect(await expectRefused("ERR_CALL_FOLDER_INCOMPLETE", lacking)).toContain("timeline.jsonl");
    const silent = await copyOfCall("no recording");
    await rm(join(silent, "audio.wav"));
    await rm(join(silent, "audio-bot.wav"));
    expect(await expectRefused("ERR_CALL_FOLDER_INCOMPLETE", silent)).toContain("audio.wav");
    const swapped = await copyOfCall("swapped");
    const { sampleRateHz, channels } = decodeWav(await readFile(join(swapped, "audio.wav")));
    await writeFile(
      join(swapped, "audio.wav"),
      encodeWav({ sampleRateHz, channels: channels.toReversed() }),
    );
    await expectRefused("ERR_RECORDING_SWAPPED", swapped);
    const isRun = await expectRefused("ERR_CALL_FOLDER_NONE", run.report.path(""));
    expect(isRun).toContain("calls/001");
    await expectRefused("ERR_CALL_FOLDER_NONE", join(folder, "..", "..", "etc"));
  });

  it("refuses a newer folder, and a timeline whose clock jumped", async () => {
    const newer = await copyOfCall("newer");
    const description = await readFile(join(newer, "call.json"), "utf8");
    await writeFile(
      join(newer, "call.json"),
      description.replace(/"version": \d+/u, '"version": 99'),
    );
    await expectRefused("ERR_CALL_FOLDER_NEWER", newer);
    const jumped = await copyOfCall("jumped");
    const timeline = await readFile(join(jumped, "timeline.jsonl"), "utf8");
    const later = timeline
      .trim()
      .split("\n")
      .map((line, index, lines) => {
        const fact = JSON.parse(line) as { at: number };
        return JSON.stringify(index < lines.length / 2 ? fact : { ...fact, at: fact.at + 60_000 });
      });
    await writeFile(join(jumped, "timeline.jsonl"), `${later.join("\n")}\n`);
    await expectRefused("ERR_TIMELINE_CLOCK", jumped);
  });
});

describe("sidetone analyze of other files", () => {
  it("takes names with spaces and brackets, and says what is no recording", async () => {
    const named = join(folder, "my call [1] & more.wav");
    await copyFile(run.report.path("calls/001/audio.wav"), named);
    expect((await analyze(named)).exitCode).toBe(0);
    await expectRefused("ERR_FILE_MISSING", join(folder, "there is none.wav"));
    await expectRefused("ERR_ANALYZE_PATHS");
    await expectRefused("ERR_ANALYZE_PATHS", named, folder);
    await expectRefused("ERR_ANALYZE_OPTIONS", named, "--from", "soon");
    await expectRefused("ERR_ANALYZE_OPTIONS", named, "--from", "2:00", "--to", "1:00");
    await expectRefused("ERR_ANALYZE_OPTIONS", run.report.path("calls/001"), "--swap");
    const text = join(folder, "note.txt");
    await writeFile(text, "This is a note of what was said in the call.\n");
    await expectRefused("ERR_RECORDING_ENCODING", text);
  });

  it("says how to read another encoding where there is no sox", async () => {
    const text = join(folder, "call.mp3");
    await writeFile(text, Buffer.alloc(4000, 0xff));
    const { exitCode, output } = await resultOf(startCli(["analyze", text], { PATH: "" }));

    expect(output).toMatch(/ERR_RECORDING_ENCODING: .*sox.*is not installed.*apt-get install/u);
    expect(exitCode).toBe(2);
  });

  it.skipIf(SOX === undefined)("reads through sox what it does not read itself", async () => {
    const stereo = run.report.path("calls/001/audio.wav");
    const pcm = JSON.parse((await analyze(stereo, "--json")).output) as { metrics: CallMetrics };
    for (const args of [["-e", "ima-adpcm", "call [ima].wav"], ["call.flac"], ["call.aiff"]]) {
      const path = join(folder, args.at(-1) ?? "");
      execFileSync("sox", [stereo, ...args.slice(0, -1), path]);
      const { exitCode, output } = await analyze(path, "--json");
      const { metrics } = JSON.parse(output) as { metrics: CallMetrics };

      expect(exitCode).toBe(0);
      expect(metrics.turns.map(({ outcome }) => outcome)).toEqual(
        pcm.metrics.turns.map(({ outcome }) => outcome),
      );
    }
  });
});
