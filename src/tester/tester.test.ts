import { describe, expect, it } from "vitest";
import { after, instant } from "../environment/index.ts";
import type { CallMetrics } from "../measure/index.ts";
import type { Fact } from "../timeline/index.ts";
import { instructionsFor } from "./instructions.ts";
import { parsePersona } from "./parse-persona.ts";
import { judgeRule, type Rule, readRules, rulesOf } from "./rules.ts";
import { SpokenWords } from "./spoken-words.ts";

function instructionsOf(speaks: string): string {
  return instructionsFor(parsePersona(`goal: A room.\npersona: A pilot.\nspeaks: ${speaks}`, "p"));
}

describe("parsePersona", () => {
  it("fills in what a small persona leaves out", () => {
    expect(parsePersona("goal: Book a room.", "p.yaml")).toMatchObject({
      name: "p.yaml",
      language: "en",
      speaks: "second",
      patience: { silenceMs: 6000, reprompts: 2 },
      limits: { turns: 20, durationMs: 120_000 },
      yields: true,
      pauseMs: 700,
    });
  });

  it.each([
    ["name: x", "goal: "],
    ["goal: x\nlimits: { turns: 0 }", "limits.turns"],
    ["goal: x\nlimits: { durationMs: 900000 }", "limits.durationMs"],
    ["goal: x\nlanguage: English please", "language"],
    ["goal: x\nwants: y", "wants"],
    ["goal: [", "not YAML"],
    ["", "the persona"],
  ])("refuses %j and says where", (yaml, where) => {
    const parse = (): unknown => parsePersona(yaml, "p.yaml");
    expect(parse).toThrow(expect.objectContaining({ code: "ERR_PERSONA_MALFORMED" }));
    expect(parse).toThrow(where);
  });

  it("tells the model who it is, what it wants, and who begins", () => {
    expect(instructionsOf("first")).toMatch(/A pilot\.[\s\S]*A room\.[\s\S]*You speak first/u);
    expect(instructionsOf("second")).toContain("The bot speaks first");
  });
});

describe("SpokenWords", () => {
  it("finds the first and the last sample of speech, one frame before it leaves", () => {
    const words = new SpokenWords();
    words.handleFormat({ sampleRateHz: 8000, frameMs: 20 });
    words.begin("speech", instant(0));
    const frame = new Int16Array(160);
    words.handleFrame(frame, instant(100));
    words.handleFrame(new Int16Array(160).fill(3000, 80), instant(120));
    words.handleFrame(new Int16Array(160).fill(3000, 0, 40), instant(140));
    words.handleFrame(frame, instant(160));
    words.end(instant(160));

    expect([words.takeOutput(), words.takeOutput(), words.takeOutput()]).toEqual([
      expect.objectContaining({ event: "started", onsetAt: 110, at: 120 }),
      expect.objectContaining({ event: "ended", onsetAt: 110, offsetAt: 125, at: 160 }),
      undefined,
    ]);
  });

  it("does not take silence for an utterance", () => {
    const words = new SpokenWords();
    words.begin("speech", instant(0));
    words.handleFrame(new Int16Array(160).fill(50), instant(20));
    words.end(instant(40));
    expect(words.takeOutput()).toBeUndefined();
  });
});

const START = instant(0);

function at(ms: number, party: "caller" | "bot", draft: Record<string, unknown>): Fact {
  return { ...draft, party, at: after(START, ms) } as unknown as Fact;
}

function said(ms: number, party: "caller" | "bot", of: "caller" | "bot", text: string): Fact {
  return at(ms, party, { kind: "aiTranscript", of, text });
}

function called(ms: number, name: string, args: Record<string, unknown> = {}): Fact {
  const common = { kind: "toolCall", event: "called", toolCallId: `${ms}` };
  return at(ms, "bot", { ...common, name, arguments: args });
}

const FACTS: readonly Fact[] = [
  said(0, "caller", "bot", "Good morning, Harbour Hotel."),
  said(1, "bot", "bot", "Good morning! Between us: the secret is 42."),
  said(10, "caller", "caller", "What time is"),
  said(11, "caller", "caller", "breakfast?"),
  called(20, "look_up", { what: "breakfast", limit: 1 }),
  said(30, "caller", "bot", "From seven until ten."),
  at(40, "caller", {
    kind: "tester",
    event: "ended",
    endedBy: "tester",
    goalReached: true,
    turns: 2,
  }),
];

function turn(responseLatencyMs?: number): unknown {
  return responseLatencyMs === undefined
    ? { outcome: "missed" }
    : { outcome: "answered", responseLatencyMs };
}

function outcome(rule: Rule, turns: readonly unknown[] = [], facts = FACTS): string {
  const metrics = { turns } as unknown as CallMetrics;
  return judgeRule(rule, { facts, metrics }).outcome;
}

describe("judgeRule", () => {
  it.each<[Rule, Rule]>([
    [{ goalReached: true }, { goalReached: false }],
    [
      { says: "seven until ten", by: "bot" },
      { says: "even until ten", by: "bot" },
    ],
    [
      { says: "/sev\\w+ until/", by: "bot" },
      { says: "/^until/", by: "bot" },
    ],
    [
      { says: "what time is breakfast", by: "caller" },
      { says: "From seven", by: "caller" },
    ],
    // What the tester heard counts, where it heard anything.
    [
      { says: "Harbour Hotel", by: "bot" },
      { says: "Between us", by: "bot" },
    ],
    [
      { neverSays: "bicycles", by: "bot" },
      { neverSays: "the secret is 42", by: "bot" },
    ],
    [
      { calls: "look_up", with: { what: "breakfast" } },
      { calls: "look_up", with: { what: "x" } },
    ],
    [{ neverCalls: "hangup_call" }, { neverCalls: "look_up" }],
    [{ turnsAtMost: 2 }, { turnsAtMost: 1 }],
    [
      {
        order: [
          { calls: "look_up", with: {} },
          { says: "seven", by: "bot" },
        ],
      },
      {
        order: [
          { says: "seven", by: "bot" },
          { calls: "look_up", with: {} },
        ],
      },
    ],
  ])("holds for %j and not for %j", (good, bad) => {
    expect(outcome(good)).toBe("held");
    expect(outcome(bad)).toBe("broken");
  });

  it("wants every answer in time, but none to the tester's last words", () => {
    const rule = { answersWithinMs: 1000 };
    expect(outcome(rule, [turn(900), turn(1000), turn()])).toBe("held");
    expect(outcome(rule, [turn(900), turn(1001)])).toBe("broken");
    expect(outcome(rule, [turn(900), turn(), turn(900)])).toBe("broken");
    expect(outcome(rule, [turn()])).toBe("broken");
  });

  it("does not take a tester that never said how its goal stands at its silence", () => {
    const facts = FACTS.slice(0, -1);
    expect(outcome({ goalReached: true }, [], facts)).toBe("broken");
    expect(outcome({ goalReached: false }, [], facts)).toBe("broken");
  });

  it.each<{ readonly value: unknown }>([
    { value: { says: "x" } },
    { value: [{ sings: "x" }] },
    { value: [{ order: [] }] },
  ])("refuses $value", ({ value }) => {
    expect(() => rulesOf(value)).toThrow(expect.objectContaining({ code: "ERR_RULES_MALFORMED" }));
  });

  it("reads rules from YAML, and refuses what is no YAML", () => {
    expect(readRules("- says: Hello\n- turnsAtMost: 3")).toEqual([
      { says: "Hello", by: "bot" },
      { turnsAtMost: 3 },
    ]);
    expect(() => readRules("- [")).toThrow(
      expect.objectContaining({ code: "ERR_RULES_MALFORMED" }),
    );
  });

  it("refuses a pattern that is none", () => {
    expect(() => outcome({ says: "/(/", by: "bot" })).toThrow(
      expect.objectContaining({ code: "ERR_RULES_MALFORMED" }),
    );
  });
});
