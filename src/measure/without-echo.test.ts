import { describe, expect, it } from "vitest";
import { type CallPlan, syntheticCall } from "../../test/unit/report/synthetic-call.ts";
import type { CallMetrics } from "./call-metrics.ts";
import { measureCall } from "./measure-call.ts";

const PLAN: CallPlan = {
  endMs: 16_000,
  botKnown: false,
  utterances: [
    { id: "first", fromMs: 2000, toMs: 4500 },
    { id: "second", fromMs: 9000, toMs: 11_500 },
  ],
  responses: [
    { id: "one", speech: [{ fromMs: 5300, toMs: 7500 }] },
    { id: "two", speech: [{ fromMs: 12_300, toMs: 14_500 }] },
  ],
};
const HEARD_LATER_MS = 70;
const ECHO_MS = 150;

/** The call on a line that returns what the caller says, so much weaker. */
function withEcho(lossDb: number): CallMetrics {
  const record = syntheticCall(PLAN);
  const { audio } = record;
  if (audio === undefined) throw new Error("the call was recorded");
  const gain = 10 ** (-lossDb / 20);
  const right = audio.right.map((sample, index) =>
    Math.round(sample + gain * (audio.left[index - 8 * ECHO_MS] ?? 0)),
  );
  return measureCall({ ...record, audio: { ...audio, right } });
}

describe("the caller's own voice that comes back", () => {
  it.each([20, 30, 40])("%s dB weaker is no speech of the bot's", (lossDb) => {
    const metrics = withEcho(lossDb);

    expect(metrics.echoes).toHaveLength(1);
    expect(metrics.botTurns).toHaveLength(2);
    for (const [index, fromMs] of [5300, 12_300].entries()) {
      const heardAt = 1_000_000 + fromMs + HEARD_LATER_MS;
      expect(Math.abs((metrics.botTurns[index]?.startAt ?? 0) - heardAt)).toBeLessThan(4);
    }
    expect(metrics.turns.map(({ uncertain }) => uncertain)).toEqual([false, false]);
    expect(metrics.conversation.talkOverMs).toBe(0);
  });

  it("is the bot's where it is as loud: a bot that repeats what it hears", () => {
    const heardAt = 1_000_000 + 2000 + ECHO_MS;

    expect(Math.abs((withEcho(3).botTurns[0]?.startAt ?? 0) - heardAt)).toBeLessThan(4);
  });
});

describe("the bot's voice that the caller's line gives back", () => {
  const plan: CallPlan = {
    endMs: 16_000,
    utterances: [
      { id: "question", fromMs: 2000, toMs: 4500 },
      { id: "assent", fromMs: 9000, toMs: 9500, purpose: "backchannel" },
    ],
    responses: [{ id: "answer", speech: [{ fromMs: 5300, toMs: 13_500 }], playoutEndedMs: 13_500 }],
  };

  it("does not keep the recording from confirming what the caller said meanwhile", () => {
    const record = syntheticCall(plan);
    const { audio, botAudio } = record;
    if (audio === undefined || botAudio === undefined) throw new Error("the call was recorded");
    const metrics = measureCall({
      ...record,
      audio: { ...audio, left: withTenth(audio.left, audio.right, 40) },
      botAudio: { ...botAudio, left: withTenth(botAudio.left, botAudio.right, 150) },
    });

    expect(metrics.echoes.map(({ party }) => party)).toEqual(["bot"]);
    expect(metrics.callerTurns.map(({ uncertain }) => uncertain)).toEqual([false, false]);
    expect(metrics.backchannels).toMatchObject([{ outcome: "keptTalking", uncertain: false }]);
  });
});

/** One side with a tenth of the other, so much later: an echo of 20 dB. */
function withTenth(side: Int16Array, other: Int16Array, afterMs: number): Int16Array {
  return side.map((sample, index) => Math.round(sample + (other[index - 8 * afterMs] ?? 0) / 10));
}
