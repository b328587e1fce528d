import { describe, expect, it } from "vitest";
import { instant } from "../environment/index.ts";
import type { Fact, Party } from "../timeline/index.ts";
import { dialogueOf } from "./dialogue.ts";

function fact(party: Party, atMs: number, draft: Readonly<Record<string, unknown>>): Fact {
  return { party, at: instant(atMs), ...draft } as unknown as Fact;
}

function wrote(party: Party, of: Party, atMs: number, text: string): Fact {
  return fact(party, atMs, { kind: "aiTranscript", of, text });
}

function key(party: Party, direction: string, digit: string, atMs: number): Fact {
  return fact(party, atMs, { kind: "digit", direction, digit });
}

/** Who, and the rest of what matters to a test. */
function told(facts: readonly Fact[]): unknown[] {
  return dialogueOf(facts).map(({ at: _at, ...line }) => line);
}

const SAID = { kind: "speech", isCutOff: false };

describe("the dialogue of a call", () => {
  it("has the bot's words as the caller's AI heard them, and each of them once", () => {
    const facts = [
      wrote("bot", "bot", 100, "We open at seven."),
      wrote("caller", "bot", 200, "We open at eleven."),
      wrote("caller", "caller", 300, "Thanks."),
      wrote("bot", "caller", 400, "Tanks."),
    ];
    expect(told(facts)).toEqual([
      { ...SAID, by: "bot", text: "We open at eleven.", source: "heard" },
      { ...SAID, by: "caller", text: "Thanks.", source: "claimed" },
    ]);
  });

  it("has the bot's own claim where nobody else wrote it down, and the script of the caller", () => {
    const utterance = { kind: "utterance", utteranceId: "u", fixture: "caller/good-morning.wav" };
    const span = { onsetAt: instant(50), offsetAt: instant(900) };
    const facts = [
      fact("caller", 60, { ...utterance, ...span, event: "started" }),
      wrote("bot", "caller", 70, "Good mourning."),
      wrote("bot", "bot", 80, "Hello."),
      fact("caller", 500, {
        ...utterance,
        ...span,
        offsetAt: instant(450),
        event: "ended",
        isCutShort: true,
      }),
    ];
    expect(told(facts)).toEqual([
      { ...SAID, by: "caller", text: "good morning", source: "script", isCutOff: true },
      { ...SAID, by: "bot", text: "Hello.", source: "claimed" },
    ]);
  });

  it("takes no utterance for cut off whose last frame left ahead of its deadline", () => {
    const utterance = { kind: "utterance", utteranceId: "u", fixture: "caller/good-morning.wav" };
    const span = { onsetAt: instant(50), offsetAt: instant(900) };
    const facts = [
      fact("caller", 60, { ...utterance, ...span, event: "started" }),
      fact("caller", 920, { ...utterance, ...span, offsetAt: instant(899.6), event: "ended" }),
    ];
    expect(told(facts)).toEqual([
      { ...SAID, by: "caller", text: "good morning", source: "script" },
    ]);
  });

  it("has words where they begin to be played, and marks those that were cut off", () => {
    const facts = [
      fact("bot", 100, { kind: "playout", event: "started", responseId: "r1" }),
      fact("bot", 200, { kind: "digit", direction: "sent", digit: "1" }),
      fact("bot", 300, { kind: "playout", event: "flushed", responseId: "r1" }),
      { ...wrote("bot", "bot", 400, "A long story"), responseId: "r1" } as Fact,
    ];
    expect(told(facts)).toEqual([
      { ...SAID, by: "bot", text: "A long story", source: "claimed", isCutOff: true },
      { kind: "digits", by: "bot", digits: "1" },
    ]);
  });

  it("has keys together, once, by who sent them or else by who got them", () => {
    const sent = [key("bot", "sent", "4", 10), key("bot", "sent", "2", 20)];
    const got = [key("caller", "received", "4", 15), key("caller", "received", "2", 25)];
    const both = [{ kind: "digits", by: "bot", digits: "42" }];
    expect(told([...sent, ...got])).toEqual(both);
    expect(told(got)).toEqual(both);
  });

  it("has the bot's tools with what came of them, transfers, texts, and the end", () => {
    const tool = { kind: "toolCall", toolCallId: "t", name: "look_up", arguments: { room: 7 } };
    const facts = [
      fact("bot", 1, { ...tool, event: "called" }),
      fact("bot", 3, { ...tool, event: "finished", result: "free" }),
      fact("bot", 2, { ...tool, toolCallId: "u", event: "called" }),
      fact("bot", 4, { ...tool, toolCallId: "u", event: "failed", code: "ERR_X" }),
      fact("caller", 5, { ...tool, toolCallId: "v", name: "end_call", event: "called" }),
      fact("bot", 6, {
        kind: "transfer",
        role: "transferor",
        event: "requested",
        target: "sip:a@b",
      }),
      fact("caller", 7, { kind: "transfer", role: "transferee", event: "requested" }),
      fact("bot", 8, { kind: "textMessage", direction: "sent", text: "Hi" }),
      fact("caller", 9, { kind: "textMessage", direction: "received", text: "Hi" }),
      fact("caller", 10, { kind: "callPhase", phase: "ended", endedBy: "remote", reason: "bye" }),
    ];
    const called = { kind: "tool", by: "bot", name: "look_up", arguments: { room: 7 } };
    expect(told(facts)).toEqual([
      { ...called, outcome: "finished", result: "free" },
      { ...called, outcome: "failed", result: "ERR_X" },
      { kind: "event", by: "bot", text: "asks for a transfer to sip:a@b" },
      { kind: "text", by: "bot", text: "Hi" },
      { kind: "event", by: "bot", text: "hangs up" },
    ]);
  });
});
