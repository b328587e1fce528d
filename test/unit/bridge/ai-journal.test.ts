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
    const journal = aiJournal(line({ bytes: 960, fromMs: 20, toMs: 40 }), FACTS, "bot");
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
    expect(audioOf(aiJournal(line(note), FACTS, "bot"))).toMatchObject({
      channel: "right",
      fromMs: 2200,
      toMs: 2300,
    });
  });

  it.each(["r", "unheard of"])("says what was not played of %s", (responseId) => {
    const note = { bytes: 9600, responseId, fromMs: 300, toMs: 400 };
    expect(audioOf(aiJournal(line(note), FACTS, "bot"))).toEqual({
      bytes: 9600,
      responseId,
      notPlayed: true,
    });
  });

  it("says of a tester's AI where it stands in the caller's recording", () => {
    const said = [
      { ...FACTS[3], party: "caller", at: instant(501) },
      { ...FACTS[4], party: "caller", at: instant(801) },
    ] as Fact[];
    const journal = (audio: object): unknown =>
      audioOf(aiJournal(line(audio), [...FACTS, ...said], "caller"));
    // It listens to what is played out, which the recording holds from its first frame on.
    expect(journal({ bytes: 960, fromMs: 20, toMs: 40 })).toEqual({
      bytes: 960,
      recording: "audio.wav",
      channel: "right",
      fromMs: 20,
      toMs: 40,
    });
    expect(journal({ bytes: 9600, responseId: "r", fromMs: 200, toMs: 400 })).toMatchObject({
      recording: "audio.wav",
      channel: "left",
      fromMs: 700,
      toMs: 800,
    });
  });

  it("leaves lines without audio, and calls without a recording, as they are", () => {
    const plain = `${JSON.stringify({ at: 1, event: { text: '"fromMs"' } })}\n`;
    expect(aiJournal(plain, FACTS, "bot")).toBe(plain);
    const noted = line({ bytes: 1, fromMs: 0, toMs: 1 });
    expect(aiJournal(noted, [], "bot")).toBe(noted);
  });
});
