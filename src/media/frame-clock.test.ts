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
});
