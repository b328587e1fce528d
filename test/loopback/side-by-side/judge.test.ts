import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, it } from "vitest";
import type { ScenarioSummary } from "../../../src/report/index.ts";
import { BEHAVIOURS, type BehaviourName, promptIn } from "../../unit/judge/chat-double.ts";
import { type ChatServer, startChatServer } from "../chat-server.ts";
import { type CliResult, resultOf, startCli } from "../cli-process.ts";

const KEY = "planted-judge-key";
/** A tester's call and a scripted one after the other, on a machine that may be busy. */
const LIFETIME_MS = 110_000;
const folders: string[] = [];
const servers: ChatServer[] = [];

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
});

async function judge(behaviour: Parameters<typeof startChatServer>[0]): Promise<ChatServer> {
  const server = await startChatServer(behaviour);
  servers.push(server);
  return server;
}

async function ran(
  feature: string,
  server: ChatServer | undefined,
  variables: Readonly<Record<string, string>> = {},
): Promise<CliResult & { readonly scenarios: readonly ScenarioSummary[] }> {
  const folder = await mkdtemp(join(tmpdir(), "sidetone-judge-"));
  folders.push(folder);
  const result = await resultOf(
    startCli(
      ["run", `test/loopback/features/${feature}`, "--reports", folder],
      {
        SIDETONE_JUDGE_URL: server?.url ?? "",
        SIDETONE_JUDGE_MODEL: "judge-1",
        SIDETONE_JUDGE_KEY: KEY,
        ...variables,
      },
      LIFETIME_MS,
    ),
  );
  const { scenarios } = await result.report.json<{ readonly scenarios: ScenarioSummary[] }>(
    "results.json",
  );
  return { ...result, scenarios };
}

describe.concurrent("a judge", { timeout: 120_000 }, () => {
  it("reads what was said in a tester's and in a scripted caller's call", async ({ expect }) => {
    const server = await judge("literal");
    const { exitCode, output, report } = await ran("judge.feature", server);

    expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
    const [tester, scripted] = server.double.requests.map((request) => promptIn(request).lines);
    expect(tester).toEqual(
      expect.arrayContaining([
        { who: "caller", says: "What time is breakfast?" },
        expect.objectContaining({ who: "bot", usesTool: "send_dtmf", arguments: { digits: "42" } }),
        { who: "bot", presses: "42" },
        { who: "caller", does: "hangs up" },
      ]),
    );
    expect(scripted?.[0]).toEqual({ who: "caller", says: "What time is breakfast?" });
    const timeline = await report.text("calls/001/timeline.jsonl");
    expect(timeline).toContain('"reason":"Those are its words."');
    const leaks = [...(await report.everything())].filter(([, text]) => text.includes(KEY));
    expect(leaks.map(([path]) => path)).toEqual([]);
  });

  it("that finds otherwise fails the scenario, with its reason", async ({ expect }) => {
    const { exitCode, scenarios } = await ran("judge-false.feature", await judge("literal"));

    expect({ exitCode, scenarios }).toMatchObject({
      exitCode: 1,
      scenarios: [{ verdict: "fail", error: { code: "ERR_JUDGED_FALSE", fault: "expectation" } }],
    });
    expect(scenarios[0]?.error?.message).toContain('"Nobody says that." (judge-1');
  });

  it("that gives no verdict leaves the scenario inconclusive", async ({ expect }) => {
    const server = await judge((request, count) =>
      BEHAVIOURS[promptIn(request).statement as BehaviourName](request, count),
    );
    const { exitCode, scenarios, report } = await ran("judge-red.feature", server, {
      SIDETONE_JUDGE_TIMEOUT_MS: "1500",
    });

    const outcomes = scenarios.map(({ name, verdict, error }) => [name, verdict, error?.code]);
    expect(outcomes).toEqual(
      ["ERR_JUDGE_TIMED_OUT", "ERR_JUDGE_KEY_REFUSED", "ERR_JUDGE_ANSWER_MALFORMED"].map((code) => [
        code,
        "inconclusive",
        code,
      ]),
    );
    expect(exitCode).toBe(4);
    expect(await report.text("calls/002/timeline.jsonl")).toContain("ERR_JUDGE_KEY_REFUSED");
  });

  it("that nobody named is asked for by the names of the variables", async ({ expect }) => {
    const { exitCode, scenarios } = await ran("judge-false.feature", undefined);

    expect({ exitCode, scenarios }).toMatchObject({
      exitCode: 2,
      scenarios: [{ verdict: "broken", error: { code: "ERR_JUDGE_MISSING" } }],
    });
    expect(scenarios[0]?.error?.message).toContain("SIDETONE_JUDGE_URL");
  });
});
