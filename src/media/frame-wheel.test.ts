import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { after, type Instant, instant } from "../environment/index.ts";
import { ManualClock } from "../testing/index.ts";
import { FrameWheel } from "./frame-wheel.ts";

describe("FrameWheel", () => {
  it("serves each slot at its own absolute deadlines, with one timer for all", () => {
    const clock = new ManualClock(instant(0));
    const wheel = new FrameWheel(clock);
    const served: string[] = [];
    const every = (name: string, first: number, periodMs: number) =>
      wheel.add(instant(first), (now) => {
        served.push(`${name}@${now}`);
        return after(now, periodMs);
      });
    every("a", 3, 20);
    every("b", 10, 30);

    clock.advance(45);

    expect(served).toEqual(["a@3", "b@10", "a@23", "b@40", "a@43"]);
    expect(clock.timerCount).toBe(1);
  });

  it("serves what is due at once in the same order each time", () => {
    const clock = new ManualClock(instant(0));
    const wheel = new FrameWheel(clock);
    const served: number[] = [];
    for (let each = 0; each < 50; each += 1) {
      wheel.add(instant(10), (now) => {
        served.push(each);
        return after(now, 20);
      });
    }

    clock.advance(60);

    const inOrder = Array.from({ length: 50 }, (_, each) => each);
    expect(served).toEqual([...inOrder, ...inOrder, ...inOrder]);
  });

  it("leaves no timer when the last slot is taken off", () => {
    const clock = new ManualClock(instant(0));
    const wheel = new FrameWheel(clock);
    const slots = [5, 1, 9].map((at) => wheel.add(instant(at), (now) => after(now, 20)));
    clock.advance(100);

    for (const slot of slots) slot.cancel();
    slots[0]?.cancel();

    expect(wheel.size).toBe(0);
    expect(clock.timerCount).toBe(0);
  });

  it("lets a slot take itself, and others, off while it is served", () => {
    const clock = new ManualClock(instant(0));
    const wheel = new FrameWheel(clock);
    const served: string[] = [];
    const other = wheel.add(instant(10), (now) => {
      served.push("other");
      return after(now, 20);
    });
    const self = wheel.add(instant(10), (now) => {
      served.push("self");
      self.cancel();
      other.cancel();
      return after(now, 20);
    });

    clock.advance(100);

    expect(served.filter((name) => name === "self")).toHaveLength(1);
    expect(wheel.size).toBe(0);
  });

  it("serves any slots in the order of their deadlines", () => {
    const slots = fc.array(
      fc.record({
        first: fc.integer({ min: 0, max: 40 }),
        periodMs: fc.integer({ min: 5, max: 60 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(slots, fc.array(fc.nat(39)), (wanted, cancelled) => {
        const clock = new ManualClock(instant(0));
        const wheel = new FrameWheel(clock);
        const servedAt: Instant[] = [];
        let expected = 0;
        const dead = new Set(cancelled);
        const added = wanted.map(({ first, periodMs }) =>
          wheel.add(instant(first), (now) => {
            servedAt.push(now);
            return after(now, periodMs);
          }),
        );
        for (const index of dead) added[index]?.cancel();
        for (const [index, { first, periodMs }] of wanted.entries()) {
          if (!dead.has(index)) expected += Math.floor((200 - first) / periodMs) + 1;
        }

        clock.advance(200);

        expect(servedAt).toEqual(servedAt.toSorted((left, right) => left - right));
        expect(servedAt).toHaveLength(expected);
      }),
    );
  });
});
