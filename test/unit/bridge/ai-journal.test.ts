import { describe, expect, it } from "vitest";
import { aiJournal } from "../../../src/call/ai-journal.ts";
import { instant } from "../../../src/environment/index.ts";
import type { Fact } from "../../../src/timeline/index.ts";

const FACTS: Fact[] = [
  { kind: "recordingStarted", party: "caller", sampleRateHz: 8000, at: instant(1) },
  { kind: "recordingStarted", party: "bot", sampleRateHz: 8000, at: instant(1000) },
  { kind: "rtpFlow", party: "bot", direction: "received", event: "first", at: instant(1035) },
  {
    kind: "playout",
    party: "bot",
    event: "started",
    responseId: "r",
    playedMs: 0,
    at: instant(3000),
  },
  {
    kind: "playout",
    party: "bot",
    event: "flushed",
    responseId: "r",
    playedMs: 300,
    at: instant(3300),
  },
];

function line(audio: object): string {
  return JSON.stringify({ at: 1, direction: "sent", event: { type: "x", audio } });
}

function audioOf(text: string): unknown {
  return (JSON.parse(text) as { event: { audio: unknown } }).event.audio;
}

describe("The journal of the AI's events", () => {
  it("says where the caller's audio stands in the bot's recording", () => {
    const journal = aiJournal(line({ bytes: 960, fromMs: 20, toMs: 40 }), FACTS);
    expect(audioOf(journal)).toEqual({
      bytes: 960,
      recording: "audio-bot.wav",
      channel: "left",
      fromMs: 55,
      toMs: 75,
    });
  });

  it("says where the bot's speech stands, as far as it was played", () => {
    const note = { bytes: 9600, responseId: "r", fromMs: 200, toMs: 400 };
    expect(audioOf(aiJournal(line(note), FACTS))).toMatchObject({
      channel: "right",
      fromMs: 2200,
      toMs: 2300,
    });
  });

  it.each(["r", "unheard of"])("says what was not played of %s", (responseId) => {
    const note = { bytes: 9600, responseId, fromMs: 300, toMs: 400 };
    expect(audioOf(aiJournal(line(note), FACTS))).toEqual({
      bytes: 9600,
      responseId,
      notPlayed: true,
    });
  });

  it("leaves lines without audio, and calls without a recording, as they are", () => {
    const plain = `${JSON.stringify({ at: 1, event: { text: '"fromMs"' } })}\n`;
    expect(aiJournal(plain, FACTS)).toBe(plain);
    const noted = line({ bytes: 1, fromMs: 0, toMs: 1 });
    expect(aiJournal(noted, [])).toBe(noted);
  });
});
