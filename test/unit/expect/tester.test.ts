import { describe, expect, it } from "vitest";
import { instant } from "../../../src/environment/index.ts";
import {
  awaitTesterEnd,
  expectGoal,
  expectLimit,
  expectPassRate,
  expectRule,
} from "../../../src/expect/index.ts";
import type { Fact } from "../../../src/timeline/index.ts";
import { codeOf, recordedCall } from "./recorded-call.ts";

function fact(atMs: number, draft: Readonly<Record<string, unknown>>): Fact {
  return { party: "caller", at: instant(atMs), ...draft } as unknown as Fact;
}

const ANSWERED = fact(1000, { kind: "callPhase", phase: "answered" });
const BEGAN = fact(900, { kind: "tester", event: "began" });

function ended(more: Readonly<Record<string, unknown>>): readonly Fact[] {
  return [BEGAN, ANSWERED, fact(5000, { kind: "tester", event: "ended", turns: 3, ...more })];
}

const REACHED = recordedCall(ended({ endedBy: "tester", goalReached: true, reason: "r" }));
const MISSED = recordedCall(ended({ endedBy: "tester", goalReached: false, reason: "r" }));
const STOPPED = recordedCall(ended({ endedBy: "limit", limit: "turns" }));

describe("what is expected of a tester", () => {
  it("is that it reaches its goal in time, by its own word", async () => {
    await expect(expectGoal(REACHED, 4000)).resolves.toBe("reached after 4,000 ms");
    expect(await codeOf(expectGoal(REACHED, 3999))).toBe("ERR_GOAL_NOT_REACHED");
    expect(await codeOf(expectGoal(MISSED, 4000))).toBe("ERR_GOAL_NOT_REACHED");
    expect(await codeOf(expectGoal(STOPPED, 4000))).toBe("ERR_GOAL_NOT_REACHED");
  });

  it("or that it misses it, which it has to say, too", async () => {
    await expect(expectGoal(MISSED, 4000, "missed")).resolves.toContain("missed");
    expect(await codeOf(expectGoal(REACHED, 4000, "missed"))).toBe("ERR_GOAL_NOT_MISSED");
    expect(await codeOf(expectGoal(STOPPED, 4000, "missed"))).toBe("ERR_GOAL_NOT_MISSED");
  });

  it("counts from when it said so, where the call went on", async () => {
    const goal = fact(2000, { kind: "tester", event: "goal", goalReached: true, reason: "r" });
    const call = recordedCall([BEGAN, ANSWERED, goal]);
    await expect(expectGoal(call, 1500)).resolves.toBe("reached after 1,000 ms");
  });

  it("is that a limit stops it", async () => {
    await expect(expectLimit(STOPPED, "turns")).resolves.toContain("turns");
    expect(await codeOf(expectLimit(STOPPED, "costUsd"))).toBe("ERR_LIMIT_NOT_REACHED");
    expect(await codeOf(expectLimit(REACHED, "turns"))).toBe("ERR_LIMIT_NOT_REACHED");
  });

  it("is what the rules say of its call", async () => {
    const heard = fact(3000, { kind: "aiTranscript", of: "bot", text: "From seven until ten." });
    const call = recordedCall([...ended({ endedBy: "bot" }), heard]);
    await expect(expectRule(call, { says: "seven", by: "bot" })).resolves.toBe("said");
    await expect(expectRule(call, { turnsAtMost: 3 })).resolves.toBe("3 turns");
    for (const rule of [
      { says: "eight", by: "bot" },
      { says: "seven", by: "caller" },
      { neverSays: "seven", by: "bot" },
      { turnsAtMost: 2 },
      { answersWithinMs: 60_000 },
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other reads better.
      expect(await codeOf(expectRule(call, rule))).toBe("ERR_RULE_BROKEN");
    }
  });

  it("puts no transcript into a message", async () => {
    const call = recordedCall(ended({ endedBy: "bot" }));
    await expect(expectRule(call, { says: "top secret", by: "bot" })).rejects.toThrow(
      /^(?!.*secret)/u,
    );
  });

  it("needs a tester", async () => {
    expect(await codeOf(expectGoal(recordedCall([ANSWERED]), 1000))).toBe("ERR_NO_TESTER");
    expect(await codeOf(awaitTesterEnd(recordedCall([])))).toBe("ERR_NO_TESTER");
  });

  it.each([
    ["usage", "usage"],
    ["environment", "environment"],
    ["remote", "remote"],
  ])("blames the %s where the tester's AI was not to be had", async (fault, name) => {
    const fails = fact(2000, { kind: "fault", code: "ERR_AI_X", message: "No.", fault });
    const call = recordedCall([fails, ...ended({ endedBy: "error" })]);
    await expect(awaitTesterEnd(call)).rejects.toMatchObject({
      code: "ERR_AI_X",
      fault: name,
    });
    await expect(expectGoal(call, 4000)).rejects.toMatchObject({ code: "ERR_AI_X" });
  });

  it("is that enough of its calls pass", async () => {
    const calls = [REACHED, REACHED, MISSED];
    await expect(expectPassRate(calls, [], { atLeast: 2, of: 3 })).resolves.toMatch(
      /^2 of 3 calls passed \(the true rate lies between \d+ % and \d+ %, 95 %\)$/u,
    );
    await expect(expectPassRate(calls, [], { atLeast: 3, of: 3 })).rejects.toMatchObject({
      code: "ERR_PASS_RATE",
      message: expect.stringContaining("rule 1 (goalReached) was broken in 1"),
    });
    const rules = [{ goalReached: false }, { turnsAtMost: 3 }];
    await expect(expectPassRate(calls, rules, { atLeast: 1, of: 3 })).resolves.toContain("1 of 3");
    expect(await codeOf(expectPassRate(calls, [{ turnsAtMost: 2 }], { atLeast: 1, of: 3 }))).toBe(
      "ERR_PASS_RATE",
    );
  });

  it("is asked of as many calls as there are", async () => {
    expect(await codeOf(expectPassRate([REACHED], [], { atLeast: 1, of: 2 }))).toBe(
      "ERR_REPEATS_DIFFER",
    );
    expect(await codeOf(expectPassRate([REACHED], [], { atLeast: 2, of: 1 }))).toBe(
      "ERR_REPEATS_DIFFER",
    );
  });
});
