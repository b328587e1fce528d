import { describe, expect, it } from "vitest";
import { after, type Instant, instant } from "../environment/index.ts";
import type { TesterFact } from "../timeline/index.ts";
import { personaOf } from "./parse-persona.ts";
import { TesterDirector } from "./tester-director.ts";

const START = instant(1000);

/** A director in an answered call, and what it wanted so far. */
class Play {
  readonly wanted: string[] = [];
  readonly facts: TesterFact[] = [];
  readonly director: TesterDirector;
  now: Instant = START;

  constructor(persona: Readonly<Record<string, unknown>> = {}) {
    this.director = new TesterDirector(personaOf({ goal: "Something.", ...persona }, "p"), START);
    this.director.handleAnswered(START);
    this.#drain();
  }

  advance(ms: number): this {
    const end = after(this.now, ms);
    for (let due = this.director.nextTimeout; due !== undefined && due <= end; ) {
      this.now = due;
      this.director.handleTimeout(due);
      this.#drain();
      due = this.director.nextTimeout;
    }
    this.now = end;
    return this;
  }

  hear(ms: number): this {
    this.director.handleHeard("started", this.now);
    this.advance(ms);
    this.director.handleHeard("stopped", this.now);
    return this;
  }

  speak(ms: number): ReturnType<TesterDirector["handleSpeaking"]> {
    const purpose = this.director.handleSpeaking(this.now);
    this.#drain();
    this.advance(ms);
    this.director.handleSilent(this.now);
    return purpose;
  }

  end(byUs: boolean, failed = false): TesterFact | undefined {
    this.director.handleCallEnded({ byUs, failed }, this.now);
    this.#drain();
    return this.facts.at(-1);
  }

  #drain(): void {
    for (let each = this.director.takeOutput(); each; each = this.director.takeOutput()) {
      if (each.kind === "fact") this.facts.push(each.fact as TesterFact);
      else this.wanted.push(each.kind === "cue" ? each.cue : "hangUp");
    }
  }
}

describe("TesterDirector", () => {
  it("asks into silence as often as its persona does, and then gives up", () => {
    const play = new Play({ patience: { silenceMs: 2000, reprompts: 2 } });
    play.advance(1999);
    expect(play.wanted).toEqual([]);
    play.advance(1);
    expect(play.wanted).toEqual(["silence"]);
    play.advance(4000);
    expect(play.wanted).toEqual(["silence", "silence", "hangUp"]);
    expect(play.end(true)).toMatchObject({ endedBy: "silence", turns: 0 });
  });

  it("counts silence from the last word of either side, and begins anew when the bot speaks", () => {
    const play = new Play({ patience: { silenceMs: 2000, reprompts: 1 } });
    play.advance(1500).hear(3000).advance(1500);
    play.speak(3000);
    play.advance(1999);
    expect(play.wanted).toEqual([]);
    play.advance(1).hear(500).advance(2000);
    expect(play.wanted).toEqual(["silence", "silence"]);
  });

  it("breaks in once the bot has spoken for long enough, so many times", () => {
    const play = new Play({ interrupts: { afterMs: 1000, times: 1 } });
    play.director.handleHeard("started", play.now);
    play.advance(1000);
    expect(play.wanted).toEqual(["interrupt"]);
    expect(play.speak(500)).toBe("interruption");
    play.advance(3000);
    expect(play.wanted).toEqual(["interrupt"]);
  });

  it("leaves it when the bot has finished before it could break in", () => {
    const play = new Play({ interrupts: { afterMs: 1000, times: 5 } });
    play.hear(1200);

    expect(play.wanted).toEqual(["interrupt"]);
    expect(play.speak(500)).toBe("speech");
  });

  it("shows again and again that it listens, which is no turn", () => {
    const play = new Play({ backchannels: { everyMs: 1000 }, limits: { turns: 1 } });
    play.director.handleHeard("started", play.now);
    play.advance(1000);
    expect(play.speak(300)).toBe("backchannel");
    play.advance(700);
    expect(play.speak(300)).toBe("backchannel");
    expect(play.wanted).toEqual(["backchannel", "backchannel"]);
    expect(play.end(false)).toMatchObject({ endedBy: "bot", turns: 0 });
  });

  it.each([
    ["turns", { turns: 2 }],
    ["durationMs", { durationMs: 3000 }],
    ["costUsd", { costUsd: 0.5 }],
  ])("ends the call at its limit of %s, once, and says so", (limit, limits) => {
    const play = new Play({ limits });
    for (let turn = 0; turn < 3; turn += 1) {
      play.director.handleCost(0.2);
      play.hear(500);
      play.speak(700);
    }
    play.advance(10_000);

    expect(play.wanted).toEqual(["hangUp"]);
    expect(play.end(true)).toMatchObject({ endedBy: "limit", limit });
  });

  it("counts no cost where the price is not known", () => {
    const play = new Play({ limits: { costUsd: 0.000_001 } });
    play.director.handleCost(undefined);

    expect(play.end(false)).not.toHaveProperty("costUsd");
  });

  it.each([
    [false, false, "bot"],
    [true, false, "scenario"],
    [false, true, "error"],
  ])("says who ended a call that it did not end: by us %s, failed %s", (byUs, failed, by) => {
    const play = new Play();
    play.director.handleGoal({ goalReached: true, reason: "r" }, play.now);
    expect(play.end(byUs, failed)).toMatchObject({ endedBy: by, goalReached: true });
  });

  it("ends by its own word, with the outcome it gives then", () => {
    const play = new Play();
    play.director.handleGoal({ goalReached: true, reason: "first" }, play.now);
    play.director.handleEndCall({ goalReached: false, reason: "second" });
    expect(play.director.nextTimeout).toBeUndefined();

    expect(play.end(true)).toMatchObject({ endedBy: "tester", goalReached: false });
    expect(play.facts.filter(({ event }) => event === "ended")).toHaveLength(1);
  });

  it("keeps its limits only from the answer on", () => {
    const persona = personaOf({ goal: "x" }, "p");
    expect(new TesterDirector(persona, START).nextTimeout).toBeUndefined();
  });
});
