import { Given, Then, When } from "@cucumber/cucumber";
import {
  expectAnswered,
  expectDigits,
  expectGreeting,
  expectHangUpByBot,
  expectRejected,
  expectUnanswered,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

/** A call that nobody answers is given up after this, where the scenario says nothing. */
const RING_TIMEOUT_MS = 30_000;
/** What a scenario that begins in the middle of a call allows for its beginning. */
const ESTABLISH_LIMIT_MS = 5000;

Given("a bot that plays the script {string}", async function (this: SidetoneWorld, script: string) {
  const run = await this.run();
  this.bot = await run.bot({ script, turnDetection: { type: "semantic_vad" }, greets: true });
  this.target = this.bot.agent.uri;
});

Given(
  "a bot that plays the script {string} and lets the caller speak first",
  async function (this: SidetoneWorld, script: string) {
    const run = await this.run();
    this.bot = await run.bot({ script, turnDetection: { type: "semantic_vad" }, greets: false });
    this.target = this.bot.agent.uri;
  },
);

Given("the bot under test at {string}", function (this: SidetoneWorld, target: string) {
  this.bot = undefined;
  this.target = target;
});

Given("the bot is busy", async function (this: SidetoneWorld) {
  await this.botAgent.answerWith({ kind: "reject", statusCode: 486 });
});

Given("the bot refuses calls with {int}", async function (this: SidetoneWorld, status: number) {
  await this.botAgent.answerWith({ kind: "reject", statusCode: status });
});

Given("the bot does not answer the telephone", async function (this: SidetoneWorld) {
  await this.botAgent.answerWith({ kind: "ringForever" });
});

Given("the bot answers after {duration}", async function (this: SidetoneWorld, ringMs: number) {
  await this.botAgent.answerWith({ kind: "answer", ringMs });
});

When("the caller dials the bot", async function (this: SidetoneWorld) {
  await dial(this, RING_TIMEOUT_MS);
});

When(
  "the caller dials the bot and lets it ring for {duration}",
  async function (this: SidetoneWorld, ringTimeoutMs: number) {
    await dial(this, ringTimeoutMs);
  },
);

Given("the caller is in a call with the bot", async function (this: SidetoneWorld) {
  await dial(this, RING_TIMEOUT_MS);
  await expectAnswered(this.call, ESTABLISH_LIMIT_MS);
});

Given("the caller has heard the bot's greeting", async function (this: SidetoneWorld) {
  await dial(this, RING_TIMEOUT_MS);
  await expectAnswered(this.call, ESTABLISH_LIMIT_MS);
  await expectGreeting(this.call, ESTABLISH_LIMIT_MS);
  const run = await this.run();
  await run.harness.heardToEnd(this.call, RING_TIMEOUT_MS);
});

When("the caller hangs up", async function (this: SidetoneWorld) {
  await this.call.hangUp();
});

When("the caller presses {string}", async function (this: SidetoneWorld, digits: string) {
  await this.call.press(digits);
});

Then(
  "the call is answered within {duration}",
  async function (this: SidetoneWorld, limitMs: number) {
    this.note(await expectAnswered(this.call, limitMs));
  },
);

Then("the call is rejected with {int}", async function (this: SidetoneWorld, statusCode: number) {
  this.note(await expectRejected(this.call, statusCode, RING_TIMEOUT_MS));
});

Then("nobody answers", async function (this: SidetoneWorld) {
  this.note(await expectUnanswered(this.call, 2 * RING_TIMEOUT_MS));
});

Then("the bot hangs up within {duration}", async function (this: SidetoneWorld, limitMs: number) {
  this.note(await expectHangUpByBot(this.call, limitMs));
});

Then(
  "the caller receives the digits {string} within {duration}",
  async function (this: SidetoneWorld, digits: string, limitMs: number) {
    this.note(await expectDigits(this.call, digits, limitMs));
  },
);

async function dial(world: SidetoneWorld, ringTimeoutMs: number): Promise<void> {
  const run = await world.run();
  const caller = await run.caller();
  const call = await caller.dial(world.requireTarget(), { ringTimeoutMs });
  if (!world.calls.includes(call)) world.calls.push(call);
}
