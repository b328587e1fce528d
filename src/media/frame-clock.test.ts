import { describe, expect, it } from "vitest";
import { type Clock, type Instant, instant, type Timer } from "../environment/index.ts";
import { ManualClock } from "../testing/index.ts";
import { FrameClock } from "./frame-clock.ts";
import { FrameWheel } from "./frame-wheel.ts";

function openClock(clock: Clock, frameMs = 20) {
  const handled: Instant[] = [];
  const skipped: Instant[] = [];
  const frames = new FrameClock(
    new FrameWheel(clock),
    {
      handleFrame: (deadline) => handled.push(deadline),
      skipFrame: (deadline) => skipped.push(deadline),
      finishFrame: () => {},
      afterFrames: () => {},
    },
    { first: clock.now(), frameMs },
  );
  return { frames, handled, skipped };
}

/** A host that stands still: timers fire late, then time is what it is. */
class StallingClock implements Clock {
  #now = 0;
  #due: { readonly dueAt: number; readonly handler: () => void } | undefined;

  now(): Instant {
    return instant(this.#now);
  }

  wallClockMs(): number {
    return this.#now;
  }

  setTimer(dueAt: Instant, handler: () => void): Timer {
    this.#due = { dueAt, handler };
    return { cancel: () => {} };
  }

  fireAt(ms: number): void {
    this.#now = ms;
    const due = this.#due;
    this.#due = undefined;
    due?.handler();
  }
}

describe("FrameClock", () => {
  it("counts its deadlines from the first one, so that nothing drifts", () => {
    const clock = new ManualClock(instant(7));
    const { frames, handled } = openClock(clock);

    clock.advance(1000);
    frames.stop();
    clock.advance(1000);

    expect(handled).toHaveLength(51);
    expect(handled.at(-1)).toBe(1007);
  });

  it("makes up for a short stall of the host, and keeps to its deadlines", () => {
    const clock = new StallingClock();
    const { handled, skipped } = openClock(clock);

    clock.fireAt(0);
    clock.fireAt(95);
    clock.fireAt(100.2);

    expect(handled).toEqual([0, 20, 40, 60, 80, 100]);
    expect(skipped).toEqual([]);
  });

  it("skips what a long stall left behind beyond ten frames", () => {
    const clock = new StallingClock();
    const { handled, skipped } = openClock(clock);

    clock.fireAt(0);
    clock.fireAt(405);

    expect(skipped).toEqual([20, 40, 60, 80, 100, 120, 140, 160, 180]);
    expect(handled).toEqual([0, 200, 220, 240, 260, 280, 300, 320, 340, 360, 380, 400]);
  });

  it("changes the length of its frames at the next deadline", () => {
    const clock = new ManualClock(instant(0));
    const { frames, handled } = openClock(clock);
    clock.advance(50);

    frames.frameMs = 30;
    clock.advance(100);

    expect(handled).toEqual([0, 20, 40, 60, 90, 120, 150]);
  });

  it("does what is urgent for all calls that are due before the rest of any", () => {
    const clock = new ManualClock(instant(0));
    const wheel = new FrameWheel(clock);
    const done: string[] = [];
    const calls = ["a", "b"].map((name) => {
      const handler = {
        handleFrame: (deadline: Instant) => done.push(`send ${name}@${deadline}`),
        finishFrame: (deadline: Instant) => done.push(`hear ${name}@${deadline}`),
        skipFrame: () => {},
        afterFrames: () => {},
      };
      return new FrameClock(wheel, handler, { first: instant(0), frameMs: 20 });
    });

    clock.advance(20);

    expect(calls.every(({ isRunning }) => isRunning)).toBe(true);

    expect(done).toEqual([
      "send a@0",
      "send b@0",
      "hear a@0",
      "hear b@0",
      "send a@20",
      "send b@20",
      "hear a@20",
      "hear b@20",
    ]);
  });

  it("finishes each frame that a stall left behind before the next one", () => {
    const clock = new StallingClock();
    const done: string[] = [];
    const handler = {
      handleFrame: (deadline: Instant) => done.push(`send ${deadline}`),
      finishFrame: (deadline: Instant) => done.push(`hear ${deadline}`),
      skipFrame: () => {},
      afterFrames: () => done.push("after"),
    };
    const start = { first: instant(0), frameMs: 20 };
    const frames = new FrameClock(new FrameWheel(clock), handler, start);

    clock.fireAt(41);

    expect(frames.isRunning).toBe(true);
    expect(done).toEqual(["send 0", "hear 0", "send 20", "hear 20", "send 40", "hear 40", "after"]);
  });

  it("says of a turn after a stall up to when the sockets have been read", () => {
    const clock = new StallingClock();
    const turns: string[] = [];
    const handler = {
      handleFrame: () => {},
      finishFrame: (deadline: Instant, unreadSince?: Instant) =>
        turns.push(`${deadline} ${unreadSince ?? "all"}`),
      skipFrame: () => {},
      afterFrames: (readUntil: Instant) => turns.push(`until ${readUntil}`),
    };
    const start = { first: instant(0), frameMs: 20 };
    const frames = new FrameClock(new FrameWheel(clock), handler, start);

    for (const ms of [0, 39, 80, 125, 141]) clock.fireAt(ms);

    expect(frames.isRunning).toBe(true);
    expect(turns.join(", ")).toBe(
      "0 all, until 0, 20 all, until 39, 40 39, 60 39, 80 39, until 39, " +
        "100 80, 120 80, until 80, 140 all, until 141",
    );
  });

  it("leaves what is not urgent undone for a call that ends meanwhile", () => {
    const clock = new ManualClock(instant(0));
    const finished: Instant[] = [];
    const frames: FrameClock = new FrameClock(
      new FrameWheel(clock),
      {
        handleFrame: (deadline) => deadline > 0 && frames.stop(),
        finishFrame: (deadline) => finished.push(deadline),
        skipFrame: () => {},
        afterFrames: () => {},
      },
      { first: instant(0), frameMs: 20 },
    );

    clock.advance(100);

    expect(finished).toEqual([0]);
  });

  it("is counted where its deadlines are, as long as it runs", () => {
    const clock = new ManualClock(instant(0));
    const wheel = new FrameWheel(clock);
    const handler = {
      handleFrame: () => {},
      finishFrame: () => {},
      skipFrame: () => {},
      afterFrames: () => {},
    };
    const frames = new FrameClock(wheel, handler, { first: instant(5), frameMs: 20 });
    clock.advance(50);
    expect(wheel.phases.callsAt(instant(65), 20)).toBe(1);

    frames.frameMs = 30;
    expect(wheel.phases.callsAt(instant(65), 20)).toBe(0);
    expect(wheel.phases.callsAt(instant(65), 30)).toBe(1);
    frames.stop();
    frames.stop();

    expect(wheel.phases.callsAt(instant(65), 30)).toBe(0);
  });
});
