import { Given, Then } from "@cucumber/cucumber";
import { expectFault, expectUninterrupted } from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

// Faults of the embedded AI hold from now on, up to the scenario's end. Turns are the caller's,
// counted from 1 in each call.

/** How long what is expected may take where the scenario says nothing. */
const LIMIT_MS = 20_000;

/** Whoever connects to the AI is refused with this HTTP status, 400 to 599. */
Given(
  "the bot's AI refuses connections with {int}",
  async function (this: SidetoneWorld, status: number) {
    await this.wantAiFaults({ refuseStatus: status });
  },
);

/** The AI takes every key for a token that has expired. */
Given("the token for the bot's AI has expired", async function (this: SidetoneWorld) {
  await this.wantAiFaults({ tokenExpired: true });
});

/** Every answer of the AI comes so much later. */
Given(
  "the bot's AI answers {duration} late",
  async function (this: SidetoneWorld, delayMs: number) {
    await this.wantAiFaults({ delayMs });
  },
);

/**
 * The AI closes its connection (1011) where its answer to this turn would begin, and refuses all
 * others from then on.
 */
Given("the bot's AI goes down in turn {int}", async function (this: SidetoneWorld, turn: number) {
  await this.wantAiFaults({ closeOnTurn: { turn, code: 1011, staysDown: true } });
});

/** The AI sends so much of its answer to this turn, and then nothing more. */
Given(
  "the bot's AI stalls {duration} into its answer to turn {int}",
  async function (this: SidetoneWorld, afterMs: number, turn: number) {
    await this.wantAiFaults({ stallInSpeech: { turn, afterMs } });
  },
);

/** Sessions of the AI end after this time, as the provider ends those that last too long. */
Given(
  "sessions of the bot's AI expire after {duration}",
  async function (this: SidetoneWorld, expireAfterMs: number) {
    await this.wantAiFaults({ expireAfterMs });
  },
);

/** The same for the session of the next call alone: one that takes its place lasts. */
Given(
  "the next session of the bot's AI expires after {duration}",
  async function (this: SidetoneWorld, expireAfterMs: number) {
    void this.botAgent;
    await this.bot?.ai.configure({ faultsOfNext: { expireAfterMs } });
  },
);

/** 1 as it is spoken, so that an interruption finds it unfinished; 100 all at once. */
Given(
  "the bot's AI sends speech at {float} times real time",
  async function (this: SidetoneWorld, speedFactor: number) {
    await this.wantAiFaults({ speedFactor });
  },
);

/** What still comes of an answer after it was cut off must not be heard. */
Given(
  "the bot's AI sends {int} pieces of audio after an interruption",
  async function (this: SidetoneWorld, stragglers: number) {
    await this.wantAiFaults({ stragglers });
  },
);

/** Arguments of the AI's tool calls are cut short: they are no JSON (Gemini: no object). */
Given("the bot's AI calls tools with malformed arguments", async function (this: SidetoneWorld) {
  await this.wantAiFaults({ wrongArguments: "notJson" });
});

/** The bot's present answer, or else its next one, is played to its end within 20 s. */
Then("the bot is not interrupted", async function (this: SidetoneWorld) {
  this.note(await expectUninterrupted(this.call, LIMIT_MS));
});

/** A fault with this code belongs to the call within 20 s, e.g. ERR_AI_CLOSED. */
Then("the call has the fault {string}", async function (this: SidetoneWorld, code: string) {
  this.note(await expectFault(this.call, { code, limitMs: LIMIT_MS }));
});
