import { describe, expect, it } from "vitest";
import { after, type Instant, instant } from "../environment/index.ts";
import { ConnectionUpkeep, type UpkeepAction } from "./connection-upkeep.ts";

const START = instant(0);

function upkeep(isOpener: boolean) {
  const engine = new ConnectionUpkeep({ random: () => 0.5, isOpener, idleLimitMs: 32_000 }, START);
  const actions = (): UpkeepAction[] => {
    const taken: UpkeepAction[] = [];
    for (let next = engine.takeOutput(); next !== undefined; next = engine.takeOutput()) {
      taken.push(next);
    }
    return taken;
  };
  /** Runs until `until`, with a connection that is needed or not. */
  const run = (until: Instant, isNeeded: boolean): [number, UpkeepAction][] => {
    const seen: [number, UpkeepAction][] = [];
    while (engine.nextTimeout <= until) {
      const at = engine.nextTimeout;
      engine.handleTimeout(at, isNeeded);
      for (const action of actions()) seen.push([at, action]);
      if (seen.at(-1)?.[1] === "idle") break;
    }
    return seen;
  };
  return { engine, actions, run };
}

describe("ConnectionUpkeep", () => {
  it("closes what nobody needs once no transaction can be left", () => {
    const { engine, run } = upkeep(true);
    engine.handleMessage(instant(1000));

    expect(run(instant(100_000), false)).toEqual([[33_000, "idle"]]);
  });

  it("pings between 95 and 120 s after the last message while calls need it", () => {
    const { run } = upkeep(true);

    expect(run(instant(220_000), true)).toEqual([
      [107_500, "ping"],
      [215_000, "ping"],
    ]);
  });

  it("leaves pinging to the opener", () => {
    expect(upkeep(false).run(instant(300_000), true)).toEqual([]);
  });

  it("answers a double line end with one, in however many pieces it came", () => {
    const { engine, actions } = upkeep(false);
    engine.handleLineEnd(instant(1));
    expect(actions()).toEqual([]);
    engine.handleLineEnd(instant(2));
    expect(actions()).toEqual(["pong"]);
  });

  it("does not take the line ends around a message for a ping", () => {
    const { engine, actions } = upkeep(false);
    engine.handleLineEnd(instant(1));
    engine.handleMessage(instant(2));
    engine.handleLineEnd(instant(3));

    expect(actions()).toEqual([]);
  });

  it("takes a missing pong for the end only of a peer that has answered before", () => {
    const { engine, run } = upkeep(true);
    // Never answered: it may not know of pings.
    expect(run(instant(120_000), true)).toEqual([[107_500, "ping"]]);
    expect(run(instant(215_000), true)).toEqual([[215_000, "ping"]]);
    engine.handleLineEnd(instant(215_100));
    expect(run(instant(322_500), true)).toEqual([[322_500, "ping"]]);

    expect(run(after(instant(322_500), 10_000), true)).toEqual([[332_500, "silent"]]);
  });
});
