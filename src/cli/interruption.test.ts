import { beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../testing/index.ts";
import { Interruption } from "./interruption.ts";

describe("an interruption", () => {
  let clock: ManualClock;
  let seen: string[];
  let interruption: Interruption;

  beforeEach(() => {
    clock = new ManualClock();
    seen = [];
    interruption = new Interruption(clock, {
      onFirst: () => seen.push("first"),
      onSecond: () => seen.push("second"),
    });
  });

  it("happens with the first signal", () => {
    expect(interruption.hasHappened).toBe(false);
    interruption.receive();
    expect(interruption.hasHappened).toBe(true);
    expect(seen).toEqual(["first"]);
  });

  it("is one press where npm passes the signal on", () => {
    interruption.receive();
    clock.advance(999);
    interruption.receive();
    expect(seen).toEqual(["first"]);
  });

  it("quits with a second press, also where someone hammers on the key", () => {
    interruption.receive();
    for (let press = 0; press < 4; press += 1) {
      clock.advance(300);
      interruption.receive();
    }
    expect(seen).toEqual(["first", "second"]);
  });

  it("takes the process's signals over and gives them back", () => {
    const before = process.listenerCount("SIGTERM");
    const stop = interruption.listen();
    process.emit("SIGTERM");
    expect(seen).toEqual(["first"]);
    stop();
    expect(process.listenerCount("SIGTERM")).toBe(before);
  });
});
