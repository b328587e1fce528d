import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { isSidetoneError } from "../../environment/index.ts";
import { parseScript } from "./parse-script.ts";

const SMALL = `name: Small
otherwise: Pardon?
turns:
  - hears: Hello
    says: hi
`;

function problemsOf(yaml: string): string {
  try {
    parseScript(yaml, "s.yaml");
  } catch (error) {
    if (isSidetoneError(error) && error.code === "ERR_SCRIPT_MALFORMED") return error.message;
    throw error;
  }
  return "";
}

describe("parseScript", () => {
  it("fills in what a small script leaves out", () => {
    const script = parseScript(SMALL, "s.yaml");

    expect(script).toMatchObject({
      voice: "bot",
      answerDelayMs: 400,
      pacing: { firstDeltaMs: [100, 200], deltaMs: [200, 400], speedFactor: [5, 15] },
      semanticVad: { minSpeechMs: 450 },
      turns: [{ hears: ["Hello"], says: "hi", order: "speech-then-tool" }],
      otherwise: [{ says: "Pardon?" }],
      state: {},
    });
  });

  it("knows the line of each value", () => {
    const { lines } = parseScript(SMALL, "s.yaml");

    expect(lines["otherwise"]).toBe(2);
    expect(lines["turns.0.says"]).toBe(5);
  });

  it("takes one number or two for a range", () => {
    const script = parseScript(`${SMALL}pacing: { deltaMs: 100, speedFactor: [2, 3] }\n`, "s.yaml");

    expect(script.pacing.deltaMs).toEqual([100, 100]);
    expect(script.pacing.speedFactor).toEqual([2, 3]);
  });

  it("reads the script of the demo", () => {
    const url = new URL("../../../fixtures/scripts/reception.yaml", import.meta.url);

    const script = parseScript(readFileSync(url, "utf8"), "reception.yaml");

    expect(script.turns.map(({ tool }) => tool?.name)).toContain("hangup_call");
    expect(script.turns.find(({ tool }) => tool?.name === "send_dtmf")?.tool?.arguments).toEqual({
      digits: "42",
    });
  });

  it("survives being posted to another thread", () => {
    const script = parseScript(SMALL, "s.yaml");

    expect(structuredClone(script)).toEqual(script);
  });

  it("tells the line of what is not YAML", () => {
    expect(problemsOf("name: x\nturns: [\n")).toMatch(/s\.yaml.*\n\s+line [23]: is not YAML/u);
  });

  it("tells an unknown key, its line and the allowed ones", () => {
    const problems = problemsOf(SMALL.replace("    says:", "    say:"));

    expect(problems).toContain('line 4: turns[0] has the unknown key "say"');
    expect(problems).toContain("allowed are: hears, says, tool, tools, order, afterMs, then");
  });

  it("tells every problem with its line", () => {
    const problems = problemsOf(`${SMALL}answerDelayMs: soon\npacing: { deltaMs: [5, 3] }\n`);

    expect(problems).toContain("line 6: answerDelayMs: ");
    expect(problems).toContain("line 7: pacing.deltaMs");
  });

  it.each([
    ["a turn that does nothing", SMALL.replace("    says: hi\n", ""), 'neither "says" nor "tool"'],
    ["a missing otherwise", SMALL.replace("otherwise: Pardon?\n", ""), "otherwise"],
    [
      "a range the wrong way round",
      `${SMALL}pacing: { deltaMs: [400, 200] }\n`,
      "the first number must not exceed the second",
    ],
    [
      "a follow-up without a tool",
      SMALL.replace("says: hi", "says: hi\n    then: { says: bye }"),
      'has "then" but no "tool"',
    ],
    [
      "a function beside several",
      SMALL.replace("says: hi", "tool: { name: a }\n    tools: [{ name: b }]"),
      'has "tool" and "tools"',
    ],
    [
      "an unknown key of one of several functions",
      SMALL.replace("says: hi", "tools: [{ name: b, args: {} }]"),
      'the unknown key "args"; allowed are: name, arguments, rawArguments',
    ],
    ["an empty file", "", "line 1: the script"],
    ["a key given twice", `${SMALL}name: Again\n`, "line 6"],
  ])("refuses %s", (_what, yaml, expected) => {
    expect(problemsOf(yaml)).toContain(expected);
  });
});
