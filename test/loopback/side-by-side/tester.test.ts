import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { decodeWav } from "../../../src/audio/index.ts";
import type { ScenarioSummary } from "../../../src/report/index.ts";
import { type CliResult, resultOf, startCli } from "../cli-process.ts";

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function ran(feature: string, ...more: readonly string[]): Promise<CliResult> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-tester-"));
  folders.push(folder);
  return resultOf(startCli(["run", feature, ...more, "--reports", folder]));
}

/** How much quieter the bot is in what the tester's line sends than as it was heard, in dB. */
async function echoIn(report: CliResult["report"]): Promise<number> {
  const facts = (await report.text("calls/001/timeline.jsonl"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  const mine = facts.filter(({ party }) => party === "caller");
  const atOf = (kind: string, event?: string): number =>
    Number(mine.find((fact) => fact["kind"] === kind && fact["event"] === event)?.["at"]);
  const begunAt = atOf("recordingStarted");
  const ends = [atOf("heardSpeech", "started"), atOf("heardSpeech", "stopped")];
  const wav = decodeWav(await readFile(report.path("calls/001/audio.wav")));
  const [fromAt, toAt] = ends.map((at) => Math.round(((at - begunAt) * wav.sampleRateHz) / 1000));
  const [left, right] = wav.channels.map((samples) => rms(samples.subarray(fromAt, toAt)));
  return 20 * Math.log10((left ?? 0) / (right ?? 0));
}

function rms(samples: Int16Array): number {
  return Math.sqrt(samples.reduce((sum, each) => sum + each ** 2, 0) / samples.length);
}

describe.concurrent("an AI tester, played by a script", { timeout: 120_000 }, () => {
  it.for(["openai", "gemini"])(
    "talks to the bot for several turns and ends the call, both by the %s protocol",
    async (ai, { expect }) => {
      const { exitCode, output, report } = await ran(
        "examples/ai-tester/tester.feature",
        "--ai",
        ai,
      );

      expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
      const metrics = await report.json<{
        readonly callerTurns: readonly { readonly uncertain: boolean; readonly fixture: string }[];
        readonly turns: readonly { readonly outcome: string }[];
        readonly toolCalls: readonly { readonly name: string }[];
      }>("calls/001/metrics.json");
      expect(metrics.callerTurns).toHaveLength(2);
      // The audio confirms to within 40 ms where its words were found.
      expect(metrics.callerTurns.filter(({ uncertain }) => uncertain)).toEqual([]);
      expect(metrics.turns.map(({ outcome }) => outcome)).toEqual(["answered", "answered"]);
      expect(metrics.toolCalls.map(({ name }) => name)).toEqual(["send_dtmf"]);
    },
  );

  it("that does not get what it wants fails the scenario, and its limit ends the call", async ({
    expect,
  }) => {
    const { exitCode, report } = await ran("test/loopback/features/tester-red.feature");

    const { scenarios } = await report.json<{ readonly scenarios: readonly ScenarioSummary[] }>(
      "results.json",
    );
    expect(scenarios).toMatchObject([{ verdict: "fail", error: { code: "ERR_GOAL_NOT_REACHED" } }]);
    expect(exitCode).toBe(1);
  });

  it("calls several times, and the calls that pass are counted", async ({ expect }) => {
    const { exitCode, report } = await ran("test/loopback/features/tester-repeats.feature");

    expect(exitCode).toBe(0);
    const called = await Promise.all(
      ["001", "002"].map((id) =>
        report.json<{ readonly toolCalls: readonly unknown[] }>(`calls/${id}/metrics.json`),
      ),
    );
    expect(called.map(({ toolCalls }) => toolCalls.length)).toEqual([1, 1]);
    expect(await echoIn(report)).toBeCloseTo(-20, 0);
  });
});
