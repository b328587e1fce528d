import { Given, Then } from "@cucumber/cucumber";
import { expectAiResumed, expectLocalBargeIn } from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

/** How long what is expected may take where the scenario says nothing. */
const LIMIT_MS = 10_000;

/**
 * Our bot looks for a caller who speaks over it in the audio itself, beside what its AI's provider
 * says, and falls silent at once (docs/media.md).
 */
Given("the bot listens for interruptions itself", async function (this: SidetoneWorld) {
  await this.wantBot({ localBargeIn: true });
});

/** Without it, as often as is usual with the protocol (docs/ai.md). */
Given(
  "the bot opens a lost connection to its AI again up to {int} times",
  async function (this: SidetoneWorld, reconnectAttemptsMax: number) {
    await this.wantBot({ reconnectAttemptsMax });
  },
);

/** It has found the caller's last words in the audio before its AI told of them, within 10 s. */
Then("the bot notices the interruption itself", async function (this: SidetoneWorld) {
  this.note(await expectLocalBargeIn(this.call, LIMIT_MS));
});

/** Within 10 s the session that was lost goes on, or a new one has been told what was said. */
Then("the bot's session with its AI is resumed", async function (this: SidetoneWorld) {
  this.note(await expectAiResumed(this.call, LIMIT_MS));
});
