import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  expectAiResumed,
  expectAnswered,
  expectFault,
  expectHttpRequest,
  expectLocalBargeIn,
  expectParallelTools,
  expectToolAnswer,
  expectToolFailure,
  expectToolOrder,
  expectToolSuccess,
  expectUninterrupted,
  type Harness,
  type RemoteAgent,
  type WatchedCall,
} from "../../src/index.ts";
import { addBot, codeOf, LOCAL, openTestHarness } from "./bench-bot.ts";

const SCRIPTS = join(import.meta.dirname, "scripts");
const ORIGIN = "https://api.hotel.example";

/** Waits until a tool has failed or finished, so that what follows need not wait. */
async function toolEnded(call: WatchedCall): Promise<void> {
  await call.waitFor(
    (fact) => fact.kind === "toolCall" && (fact.event === "failed" || fact.event === "finished"),
    10_000,
  );
}

describe("every expectation of the bot's AI fails where it is not met", () => {
  let opened: Awaited<ReturnType<typeof openTestHarness>>;
  let harness: Harness;
  let caller: RemoteAgent;
  let bot: RemoteAgent;

  beforeAll(async () => {
    opened = await openTestHarness("ai-mutants", { virtual: true });
    ({ harness } = opened);
    caller = await harness.addAgent({ party: "caller", user: "caller", local: LOCAL });
    const ai = await harness.startEmbeddedAi({ scriptPath: join(SCRIPTS, "concierge.yaml") });
    bot = await addBot(harness, ai);
  });

  afterAll(() => opened.close());

  async function callAndSay(phrase: string): Promise<WatchedCall> {
    const call = await caller.dial(bot.uri);
    await expectAnswered(call, 5000);
    await harness.spoken(call, await harness.say(call, { phrase }), 20_000);
    return call;
  }

  const limitMs = 100;

  it("a request that is not made, is another one, or says something else", async () => {
    const standIn = await harness.startStandIn(ORIGIN);
    await bot.answerWith({
      kind: "answer",
      ringMs: 0,
      httpStandIns: { [ORIGIN]: standIn.url },
    });
    const call = await callAndSay("Do you sell bicycles?");
    standIn.onRequest = (request) => call.timeline.add({ ...request, party: "bot" });
    await toolEnded(call);
    const url = `${ORIGIN}/orders`;
    const wanted = (method: string, where: string, body?: string): Promise<string> =>
      codeOf(
        expectHttpRequest(
          call,
          { method, url: where, limitMs, ...(body === undefined ? {} : { body }) },
          [ORIGIN],
        ),
      );
    expect(await wanted("POST", url, '{"what":"bicycle"}')).toBe("it was not rejected");
    expect(await wanted("GET", url)).toBe("ERR_HTTP_NOT_REQUESTED");
    expect(await wanted("POST", `${url}?all`)).toBe("ERR_HTTP_NOT_REQUESTED");
    expect(await wanted("POST", `${ORIGIN}/`)).toBe("ERR_HTTP_NOT_REQUESTED");
    expect(await wanted("POST", url, '{"what":"boat"}')).toBe("ERR_HTTP_BODY_DIFFERS");
    expect(await wanted("POST", url, "bicycle")).toBe("ERR_HTTP_BODY_DIFFERS");
    const tool = { name: "http_request", limitMs };
    const failed = { ...tool, code: "ERR_HTTP_NOT_PERMITTED" };
    expect(await codeOf(expectToolFailure(call, failed))).toBe("ERR_TOOL_NOT_FINISHED");
    const pair = { count: 2, limitMs };
    expect(await codeOf(expectParallelTools(call, pair))).toBe("ERR_TOOLS_NOT_PARALLEL");
    const order = { names: ["http_request", "hangup_call"], limitMs };
    expect(await codeOf(expectToolOrder(call, order))).toBe("ERR_TOOL_ORDER");
    await call.hangUp();
    await standIn.close();
  });

  it("a request that was refused before it left, and a tool that failed", async () => {
    await bot.answerWith({
      kind: "answer",
      ringMs: 0,
      httpStandIns: { [ORIGIN]: "http://127.0.0.1:9" },
    });
    const call = await callAndSay("Front desk, please.");
    await toolEnded(call);
    const request = { method: "GET", url: "https://elsewhere.example/", limitMs };
    expect(await codeOf(expectHttpRequest(call, request, []))).toBe("ERR_HTTP_NOT_REQUESTED");
    const tool = { name: "http_request", limitMs };
    expect(await codeOf(expectToolSuccess(call, tool))).toBe("ERR_TOOL_NOT_FINISHED");
    const other = { ...tool, code: "ERR_TOOL_ARGUMENTS" };
    expect(await codeOf(expectToolFailure(call, other))).toBe("ERR_TOOL_NOT_FINISHED");
    const answer = { ...tool, text: '"status":"ok"' };
    expect(await codeOf(expectToolAnswer(call, answer))).toBe("ERR_TOOL_ANSWER_DIFFERS");
    const uncalled = { ...answer, name: "send_dtmf" };
    expect(await codeOf(expectToolAnswer(call, uncalled))).toBe("ERR_TOOL_NOT_FINISHED");
    await call.hangUp();
  });

  it("a line that gives the bot its own voice back as loud as it was, and a fault that is none", async () => {
    const call = await caller.dial(bot.uri, { media: { echo: { levelDb: 0, delayMs: 40 } } });
    await expectAnswered(call, 5000);
    const phrase = "What time is breakfast?";
    await harness.spoken(call, await harness.say(call, { phrase }), 20_000);
    expect(await codeOf(expectUninterrupted(call, 10_000))).toBe("ERR_FALSE_INTERRUPTION");
    // The provider noticed, if wrongly; the bot itself does not listen.
    await expect(expectLocalBargeIn(call, limitMs)).rejects.toMatchObject({
      code: "ERR_NOT_NOTICED",
      message: expect.stringContaining("only the provider"),
    });
    const fault = { code: "ERR_AI_CLOSED", limitMs };
    expect(await codeOf(expectFault(call, fault))).toBe("ERR_NO_SUCH_FAULT");
    await call.hangUp();
  });

  it("an answer that does not end in time", async () => {
    const call = await callAndSay("What time is breakfast?");
    expect(await codeOf(expectUninterrupted(call, limitMs))).toBe("ERR_NOT_PLAYED");
    expect(await codeOf(expectLocalBargeIn(call, limitMs))).toBe("ERR_NOT_NOTICED");
    expect(await codeOf(expectAiResumed(call, limitMs))).toBe("ERR_AI_NOT_RESUMED");
    await call.hangUp();
  });
});
