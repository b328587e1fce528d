import { describe, expect, it } from "vitest";
import { instant } from "../../../src/environment/index.ts";
import { type CallRecord, measureCall } from "../../../src/measure/index.ts";
import { type RunSummary, renderPage, renderResults } from "../../../src/report/index.ts";
import type { Fact, Party } from "../../../src/timeline/index.ts";
import { HOSTILE_TEXT } from "./sample-run.ts";
import { syntheticCall } from "./synthetic-call.ts";

const ORIGIN_MS = 1_000_000;

function fact(party: Party, atMs: number, draft: Readonly<Record<string, unknown>>): Fact {
  return { party, at: instant(ORIGIN_MS + atMs), ...draft } as unknown as Fact;
}

function judged(atMs: number, draft: Readonly<Record<string, unknown>>): Fact {
  return fact("caller", atMs, { kind: "judgement", ...draft });
}

const PERSONA = {
  name: "A guest",
  description: "In a hurry.",
  goal: `Breakfast times ${HOSTILE_TEXT}`,
  language: "en-GB",
};

function testerCall(id: string, rule: "held" | "broken"): CallRecord {
  const usage = { kind: "aiUsage", responseId: "r", inputTokens: 90, outputTokens: 10 };
  return syntheticCall({
    id,
    originMs: ORIGIN_MS,
    endMs: 6000,
    utterances: [],
    responses: [],
    facts: () => [
      fact("caller", 10, { kind: "tester", event: "began", persona: PERSONA }),
      fact("bot", 900, { kind: "aiTranscript", of: "bot", text: "Hello from the bot's own AI." }),
      fact("caller", 1000, { kind: "aiTranscript", of: "bot", text: "Hello, as it was heard." }),
      fact("caller", 3100, { kind: "aiTranscript", of: "caller", text: "When is breakfast?" }),
      fact("caller", 3200, { ...usage, totalTokens: 100, costUsd: 0.0123 }),
      fact("caller", 5900, {
        kind: "tester",
        event: "ended",
        endedBy: "limit",
        limit: "turns",
        goalReached: false,
        reason: "It never told me.",
        turns: 4,
      }),
      judged(7000, { source: "rule", question: "a rule", outcome: rule, isOfRepeats: true }),
      judged(7100, {
        source: "model",
        question: "the bot is polite",
        outcome: "broken",
        reason: `It hangs up. ${HOSTILE_TEXT}`,
        model: "judge-1",
        latencyMs: 812,
        votes: { held: 1, broken: 2, inconclusive: 0 },
        usage: { inputTokens: 600, outputTokens: 40 },
      }),
      judged(7200, {
        source: "model",
        question: "the bot is quick",
        outcome: "inconclusive",
        reason: "It is about time.",
        code: "ERR_JUDGE_CANNOT_TELL",
        model: "judge-1",
      }),
    ],
  });
}

const records = [testerCall("001", "held"), testerCall("002", "broken")];
const calls = records.map((record) => ({
  id: record.description.id,
  description: record.description,
  metrics: measureCall(record),
}));
const run: RunSummary = {
  runId: "r",
  startedAt: "2026-11-26T12:00:00.000Z",
  seed: "s",
  versions: {},
  environment: {},
  scenarios: [
    {
      name: "Repeats",
      feature: "f",
      uri: "f.feature",
      line: 1,
      tags: [],
      verdict: "fail",
      durationMs: 1,
      steps: [],
      callIds: ["001", "002"],
    },
  ],
  calls,
};
const page = renderPage(run, records);

describe("the report of a tester's call", () => {
  it("says who called, what for, and what came of it", () => {
    for (const text of [
      "A guest",
      "en-GB",
      "Missed.",
      "It never told me.",
      "100 tokens, $0.0123",
    ]) {
      expect(page).toContain(text);
    }
    expect(page).toContain("by the tester&#39;s limit turns");
  });

  it("has each rule and each statement with verdict, reason, and who found it", () => {
    expect(page).toContain("a rule of all calls");
    expect(page).toContain("judge-1, 2 of 3 votes, 812 ms, 640 tokens");
    expect(page).toContain("It hangs up.");
    expect(page).toMatch(/<b class="inconclusive">inconclusive<\/b><\/td><td>the bot is quick/u);
    expect(page).toContain("ERR_JUDGE_CANNOT_TELL");
  });

  it("has what was said, the bot's words as they were heard, with instants", () => {
    const [, dialogue = ""] = /What both sides said and did([\s\S]*?)<\/table>/u.exec(page) ?? [];
    expect(dialogue).toContain("Hello, as it was heard.");
    expect(dialogue).toContain("When is breakfast?");
    expect(dialogue).not.toContain("own AI");
    expect(dialogue).toContain('data-seek="1000.000"');
    expect(page).toContain("Hello from the bot&#39;s own AI.");
  });

  it("escapes goals and reasons", () => {
    expect(page).not.toContain(HOSTILE_TEXT);
    expect(page.match(/<script/gu)).toHaveLength(2);
  });

  it("has the pass rate with its interval, on the page and for machines", () => {
    expect(page).toContain("1 of 2 calls passed (the true rate lies between 9 % and 91 %, 95 %)");
    expect(JSON.parse(renderResults(run))).toMatchObject({
      scenarios: [{ name: "Repeats", passRate: { passed: 1, total: 2 } }],
      calls: [
        {
          metrics: {
            tester: { goalReached: false, limit: "turns", ai: { totalTokens: 100 } },
            judgements: [{ outcome: "held" }, { outcome: "broken" }, { outcome: "inconclusive" }],
          },
        },
        {},
      ],
    });
  });

  it("counts neither what a judge does nor the tester's AI among the figures of the bot", () => {
    const [call] = calls;
    expect(call?.metrics.ai).toBeUndefined();
    expect(call?.metrics.setup.endedAt).toBe(instant(ORIGIN_MS + 6000));
  });
});
