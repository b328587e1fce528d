import { describe, expect, it } from "vitest";
import { instant } from "../../../src/environment/index.ts";
import { expectJudged } from "../../../src/expect/index.ts";
import type { Judge, JudgedDialogue, JudgeFinding } from "../../../src/judge/index.ts";
import type { Fact, Party } from "../../../src/timeline/index.ts";
import { codeOf, ended, recordedCall, upCall } from "./recorded-call.ts";

function fact(party: Party, atMs: number, draft: Readonly<Record<string, unknown>>): Fact {
  return { party, at: instant(atMs), ...draft } as unknown as Fact;
}

const ANSWERED = fact("caller", 1000, { kind: "callPhase", phase: "answered" });
const AI = fact("bot", 900, { kind: "aiSession", event: "ready", provider: "openai" });
const HELLO = fact("bot", 1500, { kind: "aiTranscript", of: "bot", text: "Hello." });
const ASKED = fact("caller", 2000, {
  kind: "utterance",
  event: "started",
  utteranceId: "u1",
  fixture: "breakfast",
  onsetAt: instant(2000),
  offsetAt: instant(2500),
});
const HEARD = fact("caller", 1400, { kind: "heardSpeech", event: "started" });
const OVER = ended("caller", { reason: "bye", endedBy: "local" });
const TALK = [ANSWERED, AI, HELLO, ASKED, OVER];

/** A judge that finds what it is told to, and keeps what it was asked. */
class ToldJudge implements Judge {
  readonly asked: { readonly question: string; readonly dialogue: JudgedDialogue }[] = [];
  readonly #finding: JudgeFinding;

  constructor(finding: Partial<JudgeFinding> = {}) {
    const { outcome = "held" } = finding;
    const votes = { held: 0, broken: 0, inconclusive: 0, [outcome]: 1 };
    const usual = { reason: "It greets.", model: "m", latencyMs: 812, votes };
    this.#finding = { ...usual, outcome, ...finding };
  }

  ask(question: string, dialogue: JudgedDialogue): Promise<JudgeFinding> {
    this.asked.push({ question, dialogue });
    return Promise.resolve(this.#finding);
  }
}

describe("what a judge has to find", () => {
  it("is that the statement is true: its reason is told, and stands on the timeline", async () => {
    const judge = new ToldJudge({ usage: { inputTokens: 600, outputTokens: 40 } });
    const call = recordedCall(TALK);
    const seen = await expectJudged(call, " the bot greets ", {
      judge,
      textOf: () => "When is breakfast?",
    });

    expect(seen).toBe('"It greets." (m, 812 ms, 640 tokens)');
    expect(call.timeline.of("judgement")).toMatchObject([
      { source: "model", question: "the bot greets", outcome: "held", reason: "It greets." },
    ]);
    expect(judge.asked[0]?.dialogue.isOver).toBe(true);
    expect(judge.asked[0]?.dialogue.lines).toMatchObject([
      { by: "bot", text: "Hello.", source: "claimed" },
      { by: "caller", text: "When is breakfast?", source: "script" },
      { by: "caller", text: "hangs up" },
    ]);
  });

  it("fails with the reason where it is false, and names no numbers", async () => {
    const judge = new ToldJudge({
      outcome: "broken",
      reason: "It gave +49 (30) 123-456 instead of 42.",
      votes: { held: 1, broken: 2, inconclusive: 0 },
    });
    const call = recordedCall(TALK);
    const failed = expectJudged(call, "the bot helps", { judge });

    await expect(failed).rejects.toMatchObject({
      code: "ERR_JUDGED_FALSE",
      fault: "expectation",
      message: expect.stringContaining(
        '"It gave [number] instead of 42." (m, 2 of 3 votes',
      ) as string,
    });
    expect(call.timeline.of("judgement")[0]).toMatchObject({ outcome: "broken" });
  });

  it("is our instrument's fault where there is no verdict, which is kept, too", async () => {
    const judge = new ToldJudge({ outcome: "inconclusive", code: "ERR_JUDGE_TIMED_OUT" });
    const call = recordedCall(TALK);

    await expect(expectJudged(call, "the bot helps", { judge })).rejects.toMatchObject({
      code: "ERR_JUDGE_TIMED_OUT",
      fault: "environment",
    });
    expect(call.timeline.of("judgement")[0]).toMatchObject({ code: "ERR_JUDGE_TIMED_OUT" });
  });

  it("needs a statement", async () => {
    const judge = new ToldJudge();
    expect(await codeOf(expectJudged(recordedCall(TALK), "  ", { judge }))).toBe(
      "ERR_JUDGE_QUESTION",
    );
  });

  it("needs somebody who wrote down what the bot said", async () => {
    const judge = new ToldJudge();
    const judged = (facts: readonly Fact[]): Promise<string> =>
      codeOf(expectJudged(recordedCall(facts, ["caller"]), "the bot helps", { judge }));

    expect(await judged([ANSWERED, ASKED, HEARD, OVER])).toBe("ERR_JUDGE_NO_TRANSCRIPT");
    expect(await judged([ANSWERED, AI, ASKED, HEARD, OVER])).toBe("ERR_JUDGE_TRANSCRIPT_MISSING");
    expect(judge.asked).toEqual([]);
    // A bot that keeps silent can be judged for that.
    expect(await judged([ANSWERED, AI, ASKED, OVER])).toBe("it was not rejected");
  });

  it("needs a call that came up", async () => {
    const judge = new ToldJudge();
    const call = recordedCall([AI, ended("caller", { reason: "rejected", statusCode: 486 })]);
    expect(await codeOf(expectJudged(call, "the bot helps", { judge }))).toBe(
      "ERR_CALL_ENDED_EARLY",
    );
  });

  it("is asked of a call that goes on by what was said so far", async () => {
    const judge = new ToldJudge();
    await expectJudged(upCall([ANSWERED, AI, HELLO]), "the bot greets", { judge });
    expect(judge.asked[0]?.dialogue.isOver).toBe(false);
  });
});
