import { beforeAll, describe, expect, it } from "vitest";
import { Repertoire } from "../../../src/realtime-server/engine/repertoire.ts";
import { parseScript } from "../../../src/realtime-server/script/parse-script.ts";
import { GeminiPair, loadRepertoire } from "./gemini-pair.ts";

let shared: Awaited<ReturnType<typeof loadRepertoire>>;

beforeAll(async () => {
  shared = await loadRepertoire();
});

function pairWith(yaml: string): GeminiPair {
  const script = parseScript(yaml, "brain.yaml");
  return new GeminiPair({ ...shared, repertoire: new Repertoire(script, shared.voices) });
}

function said(pair: GeminiPair): string[] {
  return pair.told("botTranscript").map(({ text }) => text);
}

const BREAKFAST = /^Breakfast/u;
const DIALLING = "Dialling four two now.";
const PARDON = /^Sorry, I did not understand/u;

describe("a script with a memory, by the Gemini protocol", () => {
  it("answers the same words differently the second time", () => {
    const pair = pairWith(`
name: Remembers
otherwise: not-understood
turns:
  - { hears: What time is breakfast?, when: { asked: { atMost: 0 } }, says: breakfast, add: { asked: 1 } }
  - { hears: What time is breakfast?, says: goodbye }
`);
    for (let round = 0; round < 2; round += 1) {
      pair.silence(300);
      pair.say("What time is breakfast?");
      pair.silence(7000);
    }

    expect(said(pair)).toEqual([
      expect.stringMatching(BREAKFAST),
      "Thank you for calling. Goodbye.",
    ]);
  });

  it("goes on by what a function returned", () => {
    const yaml = `
name: Tool
otherwise: not-understood
turns:
  - hears: Dial four two.
    tool: { name: send_dtmf, arguments: { digits: "42" } }
    then:
      - { when: { result.status: ok }, says: dialling }
      - { says: no-reply, set: { failed: true } }
  - { hears: Please hang up., when: { failed: true }, says: goodbye }
  - { hears: Please hang up., says: long }
`;
    const answer = (result: string): string[] => {
      const pair = pairWith(yaml);
      pair.silence(300);
      pair.say("Dial four two.");
      pair.silence(1500);
      const [call] = pair.told("toolCall");
      pair.act((client, now) => client.sendToolResult(call?.id ?? "", result, true, now));
      pair.silence(6000);
      pair.say("Please hang up.");
      pair.silence(4000);
      return said(pair);
    };

    expect(answer('{"status":"ok"}')[0]).toBe(DIALLING);
    expect(answer('{"status":"error","message":"busy"}')).toEqual([
      "I am sorry, nobody is free there. Can I help you?",
      "Thank you for calling. Goodbye.",
    ]);
  });

  it("breaks a silence of both sides by itself, step by step, and then leaves it", () => {
    const pair = pairWith(`
name: Patient
otherwise: not-understood
silenceMs: 3000
cues:
  silence:
    - { when: { prompts: { atMost: 0 } }, says: interrupted, add: { prompts: 1 } }
    - { when: { prompts: 1 }, says: goodbye, tool: { name: hangup_call }, add: { prompts: 1 } }
turns:
  - { hears: What time is breakfast?, says: dialling }
`);
    pair.silence(10_000);
    expect(said(pair)).toEqual([]);
    pair.say("What time is breakfast?");
    pair.silence(30_000);

    expect(said(pair)).toEqual([
      DIALLING,
      "Of course. What would you like to know?",
      "Thank you for calling. Goodbye.",
    ]);
    expect(pair.told("toolCall").map(({ name }) => name)).toEqual(["hangup_call"]);
    const spoken = pair.truths.filter(({ what }) => what.type === "firstAudioSent");
    const ended = pair.truths.find(({ what }) => what.type === "lastAudioSent");
    const silentMs = (spoken[1]?.ms ?? 0) - (spoken[0]?.ms ?? 0);
    const saidMs = ended?.what.type === "lastAudioSent" ? ended.what.audioMs : 0;
    // Silence counts from what a caller has heard to its end, and the answer delay comes on top.
    expect(silentMs - saidMs).toBeCloseTo(3400, -2);
  });

  it("follows a cue of its client, and says nothing where it knows none", () => {
    const pair = pairWith(`
name: Cued
otherwise: not-understood
cues: { backchannel: { says: goodbye } }
turns: [{ hears: What time is breakfast?, says: breakfast }]
`);
    pair.act((client, now) =>
      client.requestResponse("[cue: backchannel] Show that you listen.", now),
    );
    pair.silence(4000);
    pair.act((client, now) => client.requestResponse("[cue: interrupt] Interrupt now.", now));
    pair.silence(4000);
    pair.act((client, now) => client.requestResponse("Say something.", now));
    pair.silence(5000);

    expect(said(pair)).toEqual(["Thank you for calling. Goodbye.", expect.stringMatching(PARDON)]);
  });
});

function problems(turn: string): string {
  try {
    parseScript(`name: x\notherwise: y\nturns:\n  - { hears: a, ${turn} }\n`, "s.yaml");
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("a script's reactions", () => {
  it("may be silent on purpose", () => {
    expect(problems("silent: true")).toBe("");
  });

  it.each([
    ["silent: true, says: b", 'is silent, and has "says" or "tool"'],
    ["says: b, set: { turns: 1 }", "is kept for what the server knows itself"],
    ["says: b, when: { x: { atleast: 1 } }", "line 4: turns[0].when.x"],
    ["tool: { name: t }, then: { say: b }", 'turns[0].then[0] has the unknown key "say"'],
    ["tool: { name: t }, then: []", "turns[0].then"],
  ])("of the shape %s are refused with the reason", (turn, reason) => {
    expect(problems(turn)).toContain(reason);
  });
});
