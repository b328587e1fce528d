import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import { expectAnswered, expectHeard, scriptPath } from "../../src/index.ts";
import type { ScenarioSummary } from "../../src/report/index.ts";
import { addBot, LOCAL, openTestHarness } from "./bench-bot.ts";
import { type CliResult, resultOf, startCli } from "./cli-process.ts";

const FEATURES = "test/loopback/features";

const folders: string[] = [];

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function ran(feature: string): Promise<CliResult> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-transfer-"));
  folders.push(folder);
  return resultOf(startCli(["run", `${FEATURES}/${feature}`, "--reports", folder]));
}

/** What a scenario is named for (the code comes before a comma), and what it ended with. */
async function judged(report: CliResult["report"]): Promise<readonly unknown[]> {
  const { scenarios } = await report.json<{ readonly scenarios: readonly ScenarioSummary[] }>(
    "results.json",
  );
  return scenarios.map(({ name, verdict, error }) => ({
    name,
    expected: name.split(",")[0],
    verdict,
    code: error?.code,
  }));
}

function named(verdict: string): (scenario: unknown) => unknown {
  return (scenario) => {
    const { expected } = scenario as { readonly expected: string };
    return { ...(scenario as object), verdict, code: expected };
  };
}

it("the bot says so where nobody answers whom it asks", { timeout: 60_000 }, async ({ expect }) => {
  const test = await openTestHarness("transfer that fails");
  const { harness } = test;
  const ai = await harness.startEmbeddedAi({ scriptPath: scriptPath("transfer") });
  const manager = await harness.addAgent({
    party: "bot",
    user: "manager",
    local: LOCAL,
    answer: { kind: "reject", statusCode: 480 },
  });
  const bot = await addBot(harness, ai);
  const destinations = { manager: manager.uri };
  await bot.answerWith({ kind: "answer", ringMs: 0, destinations });
  const caller = await harness.addAgent({ party: "caller", user: "caller", local: LOCAL });
  const call = await caller.dial(bot.uri);
  await expectAnswered(call, 5000);

  await harness.say(call, { phrase: "Do you sell bicycles?" });
  const apology = await call.waitFor(
    (fact) => fact.kind === "aiTranscript" && fact.text.includes("nobody is free"),
    20_000,
  );
  const responseId = apology?.kind === "aiTranscript" ? apology.responseId : undefined;
  await call.waitFor(
    (fact) => fact.kind === "playout" && fact.event === "ended" && fact.responseId === responseId,
    10_000,
  );

  const failed = call.timeline.of("toolCall").find(({ event }) => event === "failed");
  expect(failed).toMatchObject({ name: "transfer_call", code: "ERR_TRANSFER_FAILED" });
  expect(JSON.parse(failed?.result ?? "{}")).toMatchObject({
    status: "error",
    outcome: "failed",
    statusCode: 480,
  });
  expect(call.timeline.of("transfer")).toEqual([]);
  expect(await expectHeard(call, "no-reply", harness.voices)).toContain("no-reply");
  expect(call.hasEnded).toBe(false);
  await call.hangUp();
  await test.close();
});

describe.concurrent("steps about transfers", { timeout: 120_000 }, () => {
  it("play every role, and say what became of the call", async ({ expect }) => {
    const { exitCode, output, report } = await ran("transfer-green.feature");
    expect(exitCode, output).toBe(0);
    expect(await report.text("index.html")).toContain("transfer completed 200 (transferor)");
  });

  it("each fail for a transfer that is not what they ask for", async ({ expect }) => {
    const { exitCode, output, report } = await ran("transfer-red.feature");
    const scenarios = await judged(report);
    expect(scenarios.length).toBeGreaterThan(12);
    expect(scenarios).toEqual(scenarios.map(named("fail")));
    expect(exitCode, output).toBe(1);
  });

  it("refuse what cannot be asked for", async ({ expect }) => {
    const { exitCode, output, report } = await ran("transfer-broken.feature");
    const scenarios = await judged(report);
    expect(scenarios).toEqual(scenarios.map(named("broken")));
    expect(exitCode, output).toBe(2);
  });
});
