import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Instant, instant } from "../environment/index.ts";
import type { DrainOutcome } from "./drain-waits.ts";
import { InjectionBuffer, type PlayoutEvent } from "./injection-buffer.ts";

const FRAME = 160;

/** A buffer with a media clock: each `tick` is one frame of 20 ms. */
class Playout {
  readonly buffer: InjectionBuffer;
  readonly frame = new Int16Array(FRAME);
  nowMs = 1000;

  constructor(capacityMs = 120_000) {
    this.buffer = new InjectionBuffer({ sampleRateHz: 8000, capacityMs });
  }

  get now(): Instant {
    return instant(this.nowMs);
  }

  speak(responseId: string, samples: number, value = 1, itemId = `${responseId}-item`): void {
    const speech = new Int16Array(samples).fill(value);
    this.buffer.handleAudio(responseId, itemId, speech, this.now);
  }

  /** Takes one frame; says how many of its samples are speech, or undefined for silence. */
  tick(): number | undefined {
    this.frame.fill(99);
    const isSpeech = this.buffer.takeFrame(this.frame, this.now);
    this.nowMs += 20;
    const speechSamples = this.frame.reduce((count, sample) => count + Number(sample !== 0), 0);
    if (isSpeech) return speechSamples;
    // A frame called silence must be silence: NaN fails every comparison.
    return speechSamples === 0 ? undefined : Number.NaN;
  }

  ticks(count: number): (number | undefined)[] {
    return Array.from({ length: count }, () => this.tick());
  }

  events(): string[] {
    return this.all().map(({ type, responseId, at, playedMs }) => {
      return `${at} ${type} ${responseId} ${playedMs}`;
    });
  }

  all(): PlayoutEvent[] {
    const events: PlayoutEvent[] = [];
    for (let next = this.buffer.takeOutput(); next !== undefined; next = this.buffer.takeOutput()) {
      events.push(next);
    }
    return events;
  }
}

describe("InjectionBuffer", () => {
  it("cuts a burst into frames and pads the last with silence", () => {
    const playout = new Playout();
    playout.speak("r", 400);
    playout.buffer.handleResponseDone("r");

    expect(playout.ticks(4)).toEqual([160, 160, 80, undefined]);
    expect(playout.events()).toEqual(["1000 started r 0", "1040 ended r 50"]);
  });

  it("does not mix two responses in a frame", () => {
    const playout = new Playout();
    playout.speak("a", 200);
    playout.buffer.handleResponseDone("a");
    playout.speak("b", 100);
    playout.buffer.handleResponseDone("b");

    expect(playout.ticks(4)).toEqual([160, 40, 100, undefined]);
    expect(playout.events()).toEqual([
      "1000 started a 0",
      "1020 ended a 25",
      "1040 started b 0",
      "1040 ended b 12.5",
    ]);
  });

  it("joins the items of one response without a gap", () => {
    const playout = new Playout();
    playout.speak("r", 100, 1, "first");
    playout.speak("r", 220, 2, "second");
    playout.buffer.handleResponseDone("r");
    expect(playout.ticks(3)).toEqual([160, 160, undefined]);
  });

  it("notices when a response runs dry, and when it goes on", () => {
    const playout = new Playout();
    playout.speak("r", 160);
    playout.ticks(3);
    playout.speak("r", 80);
    playout.ticks(2);
    playout.speak("r", 80);
    playout.buffer.handleAudioDone("r");
    playout.ticks(2);

    expect(playout.events()).toEqual([
      "1000 started r 0",
      "1020 underrun r 20",
      "1060 resumed r 20",
      "1060 underrun r 30",
      "1100 resumed r 30",
      "1100 ended r 40",
    ]);
  });

  it("dates the end back to the last frame where it is known only later", () => {
    const playout = new Playout();
    playout.speak("r", 160);
    playout.ticks(2);
    playout.buffer.handleResponseDone("r");
    expect(playout.events()).toEqual(["1000 started r 0", "1020 underrun r 20", "1000 ended r 20"]);
  });

  it("calls neither silence before a response nor one without audio an underrun", () => {
    const playout = new Playout();
    playout.buffer.handleResponseCreated("r");
    playout.ticks(3);
    playout.buffer.handleResponseDone("r");
    playout.ticks(3);
    expect(playout.events()).toEqual([]);
  });

  it("goes on with a second item after the first was complete and played", () => {
    const playout = new Playout();
    playout.speak("r", 160, 1, "commentary");
    playout.buffer.handleAudioDone("r");
    playout.ticks(2);
    playout.speak("r", 160, 1, "answer");
    playout.buffer.handleResponseDone("r");
    playout.ticks(1);
    expect(playout.events()).toEqual([
      "1000 started r 0",
      "1000 ended r 20",
      "1040 resumed r 20",
      "1040 ended r 40",
    ]);
  });

  it("drops what exceeds its capacity, and says so once", () => {
    const playout = new Playout(100);
    playout.speak("r", 700);
    playout.speak("r", 300);
    playout.speak("r", 300);
    const [overflow, ...others] = playout.all();
    expect(overflow).toMatchObject({ type: "overflow", discardedMs: 25 });
    expect(others).toEqual([]);
    expect(playout.buffer.totals).toEqual({
      receivedSamples: 1300,
      playedSamples: 0,
      discardedSamples: 500,
      bufferedSamples: 800,
    });
  });
});

describe("InjectionBuffer flush", () => {
  it("is silent from the very next frame on, and knows what was heard", () => {
    const playout = new Playout();
    playout.speak("r", 400, 1, "first");
    playout.speak("r", 4000, 1, "second");
    playout.speak("s", 800);
    playout.ticks(3);

    const flushed = playout.buffer.flush(playout.now);

    expect(playout.ticks(2)).toEqual([undefined, undefined]);
    expect(flushed).toEqual([
      {
        responseId: "r",
        playedMs: 60,
        discardedMs: 490,
        items: [{ itemId: "second", playedMs: 10 }],
      },
      {
        responseId: "s",
        playedMs: 0,
        discardedMs: 100,
        items: [{ itemId: "s-item", playedMs: 0 }],
      },
    ]);
    expect(playout.all()).toMatchObject([
      { type: "started", responseId: "r" },
      { type: "flushed", responseId: "r", playedMs: 60, discardedMs: 490, at: 1060 },
      { type: "flushed", responseId: "s", playedMs: 0, discardedMs: 100 },
    ]);
  });

  it("throws away stragglers of what was flushed, and plays the next response", () => {
    const playout = new Playout();
    playout.speak("r", 400);
    playout.tick();
    playout.buffer.flush(playout.now);
    playout.speak("r", 500);
    playout.speak("next", 160, 5);
    expect(playout.tick()).toBe(160);
    expect(playout.frame[0]).toBe(5);
    expect(playout.tick()).toBeUndefined();
  });

  it("knows of a response that has begun and has no audio yet", () => {
    const playout = new Playout();
    playout.buffer.handleResponseCreated("r");
    expect(playout.buffer.flush(playout.now)).toEqual([]);
    playout.speak("r", 500);
    expect(playout.tick()).toBeUndefined();
  });

  it("truncates the last item of a response in the making even if all of it was played", () => {
    const playout = new Playout();
    playout.speak("r", 160);
    playout.ticks(2);
    const [flushed] = playout.buffer.flush(playout.now);
    expect(flushed).toMatchObject({ discardedMs: 0, items: [{ itemId: "r-item", playedMs: 20 }] });
  });

  it("leaves alone what was played to its end", () => {
    const playout = new Playout();
    playout.speak("r", 160);
    playout.buffer.handleResponseDone("r");
    playout.ticks(1);
    expect(playout.buffer.flush(playout.now)).toEqual([]);
  });

  it("can flush one response in the middle of the queue", () => {
    const playout = new Playout();
    for (const [index, responseId] of ["a", "b", "c"].entries()) {
      playout.speak(responseId, 160, index + 1);
      playout.buffer.handleResponseDone(responseId);
    }
    expect(playout.buffer.flush(playout.now, "b")).toHaveLength(1);
    playout.tick();
    expect(playout.frame[0]).toBe(1);
    playout.tick();
    expect(playout.frame[0]).toBe(3);
  });
});

function wait(playout: Playout, deadlineMs: number, responseId?: string): DrainOutcome[] {
  const outcomes: DrainOutcome[] = [];
  playout.buffer.waitForDrain({
    deadline: instant(deadlineMs),
    settle: (outcome) => outcomes.push(outcome),
    ...(responseId === undefined ? {} : { responseId }),
  });
  return outcomes;
}

describe("InjectionBuffer waits", () => {
  it("ends one frame time after the last queued frame left", () => {
    const playout = new Playout();
    playout.speak("r", 320);
    const outcomes = wait(playout, 9000);
    playout.ticks(2);
    expect(outcomes).toEqual([]);
    playout.tick();
    expect(outcomes).toEqual(["played"]);
  });

  it("does not wait for speech queued after it", () => {
    const playout = new Playout();
    playout.speak("r", 160);
    const outcomes = wait(playout, 9000);
    playout.speak("r", 16_000);
    playout.ticks(2);
    expect(outcomes).toEqual(["played"]);
  });

  it("waits for what is still to come of a response", () => {
    const playout = new Playout();
    playout.speak("r", 160);
    const outcomes = wait(playout, 9000, "r");
    playout.ticks(3);
    playout.speak("r", 160);
    playout.buffer.handleResponseDone("r");
    playout.ticks(1);
    expect(outcomes).toEqual([]);
    playout.ticks(1);
    expect(outcomes).toEqual(["played"]);
  });

  it("ends at once on a flush, at its deadline, and when the session ends", () => {
    const flushed = new Playout();
    flushed.speak("r", 1600);
    const first = wait(flushed, 9000);
    flushed.buffer.flush(flushed.now);

    const late = new Playout();
    late.speak("r", 1600);
    const second = wait(late, 1040);
    expect(late.buffer.nextTimeout).toBe(1040);
    late.ticks(3);

    const ended = new Playout();
    ended.speak("r", 160);
    const third = wait(ended, 9000, "r");
    ended.buffer.handleSessionEnd();
    ended.ticks(2);

    expect([first, second, third]).toEqual([["flushed"], ["timeout"], ["played"]]);
    expect(late.buffer.nextTimeout).toBeUndefined();
  });
});

describe("InjectionBuffer properties", () => {
  const action = fc.oneof(
    { weight: 5, arbitrary: fc.record({ tick: fc.integer({ min: 1, max: 8 }) }) },
    {
      weight: 5,
      arbitrary: fc.record({ speak: fc.integer({ min: 0, max: 3 }), samples: fc.nat(900) }),
    },
    { weight: 1, arbitrary: fc.record({ done: fc.integer({ min: 0, max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ flush: fc.option(fc.integer({ min: 0, max: 3 })) }) },
  );

  it("loses and invents no sample: received = played + discarded + buffered", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const playout = new Playout(300);
        let received = 0;
        let played = 0;
        for (const step of actions) {
          if ("tick" in step) {
            for (const count of playout.ticks(step.tick)) played += count ?? 0;
          } else if ("speak" in step) {
            playout.speak(`r${step.speak}`, step.samples);
            received += step.samples;
          } else if ("done" in step) {
            playout.buffer.handleResponseDone(`r${step.done}`);
          } else {
            playout.buffer.flush(playout.now, step.flush === null ? undefined : `r${step.flush}`);
          }
          const { totals } = playout.buffer;
          expect(totals.receivedSamples).toBe(received);
          expect(totals.playedSamples).toBe(played);
          expect(totals.bufferedSamples).toBeGreaterThanOrEqual(0);
          expect(totals.playedSamples + totals.discardedSamples + totals.bufferedSamples).toBe(
            received,
          );
        }
        // Whatever is still queued comes out, and nothing else.
        const { bufferedSamples } = playout.buffer.totals;
        let rest = 0;
        for (const count of playout.ticks(60)) rest += count ?? 0;
        expect(rest).toBe(bufferedSamples);
      }),
      { numRuns: 200 },
    );
  });

  it("plays the samples in order, whatever the chunks", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 40 }), (sizes) => {
        const playout = new Playout();
        const all: number[] = [];
        for (const size of sizes) {
          const chunk = Int16Array.from({ length: size }, (_, index) => {
            return ((all.length + index) % 30_000) + 1;
          });
          all.push(...chunk);
          playout.buffer.handleAudio("r", "i", chunk, playout.now);
        }
        const heard: number[] = [];
        while (playout.tick() !== undefined) heard.push(...playout.frame);
        expect(heard.slice(0, all.length)).toEqual(all);
        expect(heard.slice(all.length).every((sample) => sample === 0)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it("forgets old responses, so that a long call does not grow", () => {
    const playout = new Playout();
    playout.speak("flushed", 160);
    playout.buffer.flush(playout.now);
    for (let index = 0; index < 100; index += 1) {
      expect(playout.buffer.totals.bufferedSamples).toBe(0);
      playout.speak("flushed", 160);
      playout.speak(`r${index}`, 160);
      playout.buffer.handleResponseDone(`r${index}`);
      if (playout.ticks(2)[1] !== undefined) return;
    }
    expect.unreachable("a response that old is known no more, so that it may speak again");
  });
});
