import { describe, expect, it } from "vitest";
import { instant } from "../environment/index.ts";
import { ManualClock } from "../testing/index.ts";
import type { Fact } from "./facts.ts";
import { decodeFacts, encodeFacts } from "./jsonl.ts";
import { Timeline } from "./timeline.ts";

function heard(at: number, event: "started" | "stopped" = "started"): Fact {
  return { kind: "heardSpeech", party: "caller", event, at: instant(at) };
}

const isStopped = (fact: Fact): boolean => fact.kind === "heardSpeech" && fact.event === "stopped";

describe("Timeline", () => {
  it("keeps facts in the order of their instants, whoever is first to tell", () => {
    const timeline = new Timeline();
    for (const at of [30, 10, 20, 20.5]) timeline.add(heard(at));

    expect(timeline.facts.map(({ at }) => at)).toEqual([10, 20, 20.5, 30]);
  });

  it("finds a fact that has come already", async () => {
    const timeline = new Timeline();
    timeline.add(heard(5, "stopped"));

    const found = await timeline.waitFor(isStopped, new ManualClock(), instant(0));

    expect(found?.at).toBe(5);
  });

  it("waits for a fact to come, and no longer than to the deadline", async () => {
    const clock = new ManualClock();
    const timeline = new Timeline();
    const comes = timeline.waitFor(isStopped, clock, instant(100));
    const comesNot = timeline.waitFor((fact) => fact.kind === "digit", clock, instant(100));

    timeline.add(heard(10));
    timeline.add(heard(50, "stopped"));
    clock.advance(100);

    expect((await comes)?.at).toBe(50);
    expect(await comesNot).toBeUndefined();
    expect(clock.timerCount).toBe(0);
  });

  it("ends every wait when no more facts can come, and waits again when they can", async () => {
    const clock = new ManualClock();
    const timeline = new Timeline();
    const waiting = timeline.waitFor(isStopped, clock, instant(100));
    timeline.close();
    expect(await waiting).toBeUndefined();
    expect(await timeline.waitFor(isStopped, clock, instant(100))).toBeUndefined();

    timeline.open();
    const again = timeline.waitFor(isStopped, clock, instant(100));
    timeline.add(heard(7, "stopped"));

    expect((await again)?.at).toBe(7);
  });
});

describe("timeline.jsonl", () => {
  it("gives the same facts back, to the microsecond", () => {
    const facts = [heard(1.0004), heard(2.123_456, "stopped")];

    const decoded = decodeFacts(encodeFacts(facts));

    expect(decoded).toEqual([heard(1), heard(2.123, "stopped")]);
    expect(encodeFacts(decoded)).toBe(encodeFacts(facts));
  });

  it("names the line that cannot be read", () => {
    const text = `${encodeFacts([heard(1)])}{"kind":"heardSp`;

    expect(() => decodeFacts(text)).toThrow(/Line 2 of the timeline is not JSON/u);
    expect(() => decodeFacts('{"a":1}\n')).toThrow(/Line 1 of the timeline is not a fact/u);
  });
});
