import { describe, expect, it } from "vitest";
import { after, instant } from "../environment/index.ts";
import type { FactDraft } from "../timeline/index.ts";
import { type Utterance, UtterancePlayer, type UtteranceStart } from "./utterance-player.ts";

const FRAME_SAMPLES = 160;

function utterance(start: UtteranceStart, milliseconds = 50): Utterance {
  return {
    utteranceId: "u1",
    fixture: "f",
    purpose: "speech",
    samples: new Int16Array(milliseconds * 8).fill(1000),
    onsetMs: 5,
    offsetMs: milliseconds - 5,
    start,
  };
}

function openPlayer() {
  const facts: FactDraft[] = [];
  const player = new UtterancePlayer((fact) => facts.push(fact));
  const frame = new Int16Array(FRAME_SAMPLES);
  const tickAt = (ms: number, lateMs = 0): boolean =>
    player.fill(frame, instant(ms), instant(ms + lateMs)); // oxlint-disable-line unicorn/no-array-fill-with-reference-type -- no array.
  return { player, facts, frame, tickAt };
}

describe("UtterancePlayer", () => {
  it("places speech one frame before its packet leaves: nothing leaves before it was spoken", () => {
    const { player, facts, tickAt } = openPlayer();
    player.say(utterance({ kind: "now" }));

    const spoke = [1000, 1020, 1040, 1060].map((ms) => tickAt(ms));

    expect(spoke).toEqual([true, true, true, false]);
    expect(facts).toMatchObject([
      { event: "started", at: 1000, onsetAt: 985, offsetAt: 1025 },
      { event: "ended", at: 1040, onsetAt: 985, offsetAt: 1025 },
    ]);
  });

  it("says where the offset was where deadlines were skipped in between", () => {
    const { player, facts, tickAt } = openPlayer();
    player.say(utterance({ kind: "now" }));

    for (const ms of [1000, 1080, 1100]) tickAt(ms);

    // The offset, at 45 ms, is in the third frame: 60 ms late, as that is.
    expect(facts).toMatchObject([{ offsetAt: 1025 }, { event: "ended", at: 1100, offsetAt: 1085 }]);
  });

  it("says when the edges left, not when they should have", () => {
    const { player, facts, tickAt } = openPlayer();
    player.say(utterance({ kind: "now" }));

    tickAt(1000, 4);
    tickAt(1020);
    tickAt(1040, 9);

    expect(facts.at(-1)).toMatchObject({ event: "ended", onsetAt: 989, offsetAt: 1034 });
    expect(facts.at(-1)).not.toHaveProperty("isCutShort");
  });

  it("begins with the first frame at or after an instant", () => {
    const { player, tickAt } = openPlayer();
    player.say(utterance({ kind: "at", at: instant(1030) }));

    expect([1000, 1020, 1040].map((ms) => tickAt(ms))).toEqual([false, false, true]);
  });

  it("fills the rest of the last frame with silence", () => {
    const { player, frame, tickAt } = openPlayer();
    player.say(utterance({ kind: "now" }, 30));
    tickAt(0);
    tickAt(20);

    expect(frame.subarray(0, 80).every((sample) => sample === 1000)).toBe(true);
    expect(frame.subarray(80).every((sample) => sample === 0)).toBe(true);
  });

  it("waits until the other side has spoken for so long", () => {
    const { player, tickAt } = openPlayer();
    player.say(utterance({ kind: "intoHeardSpeech", delayMs: 100 }));
    expect(tickAt(0)).toBe(false);

    player.handleHeardSpeech("started", instant(40));

    expect([100, 120, 140].map((ms) => tickAt(ms))).toEqual([false, false, true]);
  });

  it("does not take speech that has ended for speech that is under way", () => {
    const { player, tickAt } = openPlayer();
    player.handleHeardSpeech("started", instant(0));
    player.handleHeardSpeech("stopped", instant(50));
    player.say(utterance({ kind: "intoHeardSpeech", delayMs: 10 }));

    expect(tickAt(100)).toBe(false);
  });

  it("waits until the other side has been silent for so long", () => {
    const { player, tickAt } = openPlayer();
    player.say(utterance({ kind: "afterHeardSpeech", delayMs: 60 }));
    player.handleHeardSpeech("started", instant(0));
    player.handleHeardSpeech("stopped", instant(50));

    expect([100, 120].map((ms) => tickAt(ms))).toEqual([false, true]);
  });

  it("speaks one utterance after the other", () => {
    const { player, facts, tickAt } = openPlayer();
    player.say(utterance({ kind: "now" }, 20));
    player.say({ ...utterance({ kind: "now" }, 20), utteranceId: "u2" });

    for (const ms of [0, 20, 40]) tickAt(ms);

    expect(facts.map((fact) => (fact.kind === "utterance" ? fact.utteranceId : ""))).toEqual([
      "u1",
      "u1",
      "u2",
      "u2",
    ]);
    expect(player.isBusy).toBe(false);
  });

  it("says where it was cut short when the call ends", () => {
    const { player, facts, tickAt } = openPlayer();
    player.say(utterance({ kind: "now" }, 1000));
    tickAt(0);

    player.silence(after(instant(0), 100));

    expect(facts.at(-1)).toMatchObject({ event: "ended", offsetAt: 100, isCutShort: true });
    expect(player.isBusy).toBe(false);
  });

  it("refuses to line up utterances without end", () => {
    const { player } = openPlayer();
    for (let index = 0; index < 64; index += 1) player.say(utterance({ kind: "now" }));

    expect(() => player.say(utterance({ kind: "now" }))).toThrow(/wait to be spoken/u);
  });
});
