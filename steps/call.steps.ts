import { Given, Then, When } from "@cucumber/cucumber";
import {
  expectAnswered,
  expectGreeting,
  expectHangUpByBot,
  expectRejected,
  expectUnanswered,
  expectUnsupported,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

/** A call that nobody answers is given up after this, where the scenario says nothing. */
const RING_TIMEOUT_MS = 30_000;
/** What a scenario that begins in the middle of a call allows for its beginning. */
const ESTABLISH_LIMIT_MS = 5000;

/** Starts a bot of ours that speaks first. The script is a name in `fixtures/scripts` or a path. */
Given("a bot that plays the script {string}", async function (this: SidetoneWorld, script: string) {
  await this.chooseBot({ script, turnDetection: { type: "semantic_vad" }, greets: true });
});

/** The same bot, but it says nothing until the caller has spoken. */
Given(
  "a bot that plays the script {string} and lets the caller speak first",
  async function (this: SidetoneWorld, script: string) {
    await this.chooseBot({ script, turnDetection: { type: "semantic_vad" }, greets: false });
  },
);

/**
 * Names your own bot by its SIP URI. A host that is not this machine must be permitted when the run
 * is started (`--allow`). Steps that tell the bot what to do, or look at its tools, need a bot of
 * ours.
 */
Given("the bot under test at {string}", function (this: SidetoneWorld, target: string) {
  this.bot = undefined;
  this.target = target;
});

/** From now on our bot refuses every call of the scenario with 486. */
Given("the bot is busy", async function (this: SidetoneWorld) {
  await this.letBotRefuse({ kind: "reject", statusCode: 486 });
});

/** From now on our bot refuses every call of the scenario with this status, 300 to 699. */
Given("the bot refuses calls with {int}", async function (this: SidetoneWorld, status: number) {
  await this.letBotRefuse({ kind: "reject", statusCode: status });
});

/** From now on our bot rings and never answers. */
Given("the bot does not answer the telephone", async function (this: SidetoneWorld) {
  await this.letBotRefuse({ kind: "ringForever" });
});

/** From now on our bot rings this long before it answers. */
Given("the bot answers after {duration}", async function (this: SidetoneWorld, ringMs: number) {
  await this.letBotAnswer({ ringMs });
});

/** Places a call and goes on at once; it is given up (CANCEL) when nobody answers in 30 s. */
When("the caller dials the bot", async function (this: SidetoneWorld) {
  await dial(this);
});

/** The same, given up after this time. */
When(
  "the caller dials the bot and lets it ring for {duration}",
  async function (this: SidetoneWorld, ringTimeoutMs: number) {
    await dial(this, ringTimeoutMs);
  },
);

/** Dials and waits up to 5 s for the answer. */
Given("the caller is in a call with the bot", async function (this: SidetoneWorld) {
  await dial(this);
  await expectAnswered(this.call, ESTABLISH_LIMIT_MS);
});

/** Dials, waits up to 5 s each for answer and greeting, and hears the greeting to its end. */
Given("the caller has heard the bot's greeting", async function (this: SidetoneWorld) {
  await dial(this);
  await expectAnswered(this.call, ESTABLISH_LIMIT_MS);
  await expectGreeting(this.call, ESTABLISH_LIMIT_MS);
  const run = await this.run();
  await run.harness.heardToEnd(this.call, RING_TIMEOUT_MS);
});

/** Ends the call: BYE, or CANCEL while it still rings. */
When("the caller hangs up", async function (this: SidetoneWorld) {
  await this.call.hangUp();
});

/** 200 OK came within this time of the INVITE. */
Then(
  "the call is answered within {duration}",
  async function (this: SidetoneWorld, limitMs: number) {
    this.note(await expectAnswered(this.call, limitMs));
  },
);

/** The call was refused with this final status. */
Then("the call is rejected with {int}", async function (this: SidetoneWorld, statusCode: number) {
  this.note(await expectRejected(this.call, statusCode, RING_TIMEOUT_MS));
  this.expectedRefusals.add(this.call);
});

/**
 * The call does not come up, because caller and bot have no codec or no encryption in common. A
 * scenario that does not expect this gets the verdict `unsupported`.
 */
Then("the call is refused as unsupported", async function (this: SidetoneWorld) {
  this.note(await expectUnsupported(this.call, RING_TIMEOUT_MS));
  this.expectedRefusals.add(this.call);
});

/** The call ended without an answer: it rang until the caller gave up, or nothing came at all. */
Then("nobody answers", async function (this: SidetoneWorld) {
  this.note(await expectUnanswered(this.call, 2 * RING_TIMEOUT_MS));
});

/** BYE from the bot arrives within this time of the step, or had arrived before. */
Then("the bot hangs up within {duration}", async function (this: SidetoneWorld, limitMs: number) {
  this.note(await expectHangUpByBot(this.call, limitMs));
});

async function dial(world: SidetoneWorld, ringTimeoutMs?: number): Promise<void> {
  await world.dial(ringTimeoutMs === undefined ? {} : { ringTimeoutMs });
}
