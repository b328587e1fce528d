import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { after, instant } from "../environment/index.ts";
import { ManualClock } from "./manual-clock.ts";

describe("ManualClock", () => {
  it("fires timers on time, in order of due time and then of setting", () => {
    const clock = new ManualClock(instant(100));
    const fired: string[] = [];
    clock.setTimer(instant(130), () => fired.push(`late@${clock.now()}`));
    clock.setTimer(instant(110), () => fired.push(`first@${clock.now()}`));
    clock.setTimer(instant(110), () => fired.push(`second@${clock.now()}`));

    clock.advance(20);

    expect(fired).toEqual(["first@110", "second@110"]);
    expect(clock.now()).toBe(120);
    expect(clock.nextTimerAt).toBe(130);
  });

  it("fires timers that timers set, and none that were cancelled", () => {
    const clock = new ManualClock();
    const fired: number[] = [];
    const cancelled = clock.setTimer(instant(5), () => fired.push(5));
    clock.setTimer(instant(1), () => {
      fired.push(1);
      cancelled.cancel();
      clock.setTimer(after(clock.now(), 2), () => fired.push(3));
    });

    clock.advance(10);

    expect(fired).toEqual([1, 3]);
    expect(clock.timerCount).toBe(0);
  });

  it("lets awaiting code go on between two timers", async () => {
    const clock = new ManualClock();
    const seen: number[] = [];
    const wait = (ms: number): Promise<void> =>
      new Promise((resolve) => {
        clock.setTimer(after(clock.now(), ms), resolve);
      });
    const work = (async () => {
      await wait(10);
      seen.push(clock.now());
      await wait(10);
      seen.push(clock.now());
    })();

    await clock.advanceAsync(25);
    await work;

    expect(seen).toEqual([10, 20]);
  });

  it("never goes backwards, whatever is set", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 })), (delays) => {
        const clock = new ManualClock(instant(0));
        const instants: number[] = [];
        for (const delay of delays)
          clock.setTimer(instant(delay), () => instants.push(clock.now()));
        clock.advance(60);
        expect(instants).toEqual(instants.toSorted((left, right) => left - right));
        expect(instants).toHaveLength(delays.length);
      }),
    );
  });
});
