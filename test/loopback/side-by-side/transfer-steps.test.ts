import { describe, it } from "vitest";
import { expectAnswered, expectHeard, scriptPath } from "../../../src/index.ts";
import { addBot, LOCAL, openTestHarness } from "../bench-bot.ts";
import { endsOf, featureRuns, namedEnds, VIRTUAL } from "../feature-runs.ts";

const ran = featureRuns();

it("the bot says so where nobody answers whom it asks", { timeout: 120_000 }, async ({
  expect,
}) => {
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
    const result = await ran("transfer-red.feature", VIRTUAL);
    const ends = await endsOf(result);
    expect(ends.length).toBeGreaterThan(12);
    expect(ends, result.output).toEqual(namedEnds(ends, "fail"));
    expect(result.exitCode, result.output).toBe(1);
  });

  it("refuse what cannot be asked for", async ({ expect }) => {
    const result = await ran("transfer-broken.feature", VIRTUAL);
    const ends = await endsOf(result);
    expect(ends.length).toBeGreaterThan(1);
    expect(ends, result.output).toEqual(namedEnds(ends, "broken"));
    expect(result.exitCode, result.output).toBe(2);
  });
});
