import { Given, Then, When } from "@cucumber/cucumber";
import {
  awaitSpeechEnd,
  expectGapsAtMost,
  expectHeldAtMost,
  expectNoCatchUp,
  expectStallAtMost,
  expectStallsAtLeast,
  expectStallsAtMost,
  type StallConcealment,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

// How the speech of our bot's AI is played into the call: bursts come in, frames go out
// ([network.md](network.md)).

/** How long an answer may be. */
const SPEECH_LIMIT_MS = 30_000;

/** Its speech is held back so long before it is played, so that what comes late is still in time. */
Given(
  "the bot's injection buffer holds back {duration}",
  async function (this: SidetoneWorld, delayMs: number) {
    await this.wantPlayout({ preBuffer: { kind: "fixed", delayMs } });
  },
);

/** As long as would have kept its responses before free of gaps, but never longer than this. */
Given(
  "the bot's injection buffer adapts up to {duration}",
  async function (this: SidetoneWorld, maxMs: number) {
    await this.wantPlayout({ preBuffer: { kind: "adaptive", maxMs } });
  },
);

/** What is heard where it has run dry: `silence`, `repetition` or `slower speech`. */
Given(
  "the bot conceals stalls with {concealment}",
  async function (this: SidetoneWorld, concealment: StallConcealment) {
    await this.wantPlayout({ concealment });
  },
);

/** Our bot has played all of its answer, within 30 s. */
When("the bot has finished speaking", async function (this: SidetoneWorld) {
  await awaitSpeechEnd(this.call, SPEECH_LIMIT_MS);
});

/** The injection buffer of our bot ran dry within a response at most so often. */
Then(
  "the bot's speech stalls at most {int} time(s)",
  async function (this: SidetoneWorld, most: number) {
    this.note(await expectStallsAtMost(this.call, most));
  },
);

/** It ran dry at least so often: that a network was bad enough to show something. */
Then(
  "the bot's speech stalls at least {int} time(s)",
  async function (this: SidetoneWorld, least: number) {
    this.note(await expectStallsAtLeast(this.call, least));
  },
);

/** Of our bot, at its injection buffer. */
Then(
  "no stall of the bot's speech is longer than {duration}",
  async function (this: SidetoneWorld, limitMs: number) {
    this.note(await expectStallAtMost(this.call, limitMs));
  },
);

/** Digital silence between sound and sound of one response, as the caller heard it, whatever cut it. */
Then(
  "gaps in the bot's speech last at most {duration} in all",
  async function (this: SidetoneWorld, limitMs: number) {
    this.note(await expectGapsAtMost(this.call, limitMs));
  },
);

/** By how much later a response of our bot began than it could have; the worst decides. */
Then(
  "the bot's speech is held back for at most {duration}",
  async function (this: SidetoneWorld, limitMs: number) {
    this.note(await expectHeldAtMost(this.call, limitMs));
  },
);

/** Nothing of our bot's speech was heard faster than it was sent right after a stall or a gap. */
Then("the bot's speech does not hurry after a stall", async function (this: SidetoneWorld) {
  this.note(await expectNoCatchUp(this.call));
});
