import { type DataTable, Given, Then, When } from "@cucumber/cucumber";
import {
  awaitTesterEnd,
  expectGoal,
  expectLimit,
  expectPassRate,
  expectRule,
  personaOf,
  personaPath,
  readRules,
  UsageError,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

/** A tester ends its call itself, after 290 s at most. */
const STEP = { timeout: 330_000 };
/** Several of them, one after the other. */
const REPEATS = { timeout: 3_600_000 };

/**
 * Names who calls: a persona that comes with Sidetone, or the path of a YAML file
 * (docs/ai-tester.md). The embedded AI plays it by its script; with SIDETONE_TESTER a provider's.
 */
Given("the tester {string}", async function (this: SidetoneWorld, persona: string) {
  const { harness } = await this.run();
  this.tester = await harness.readPersona(personaPath(persona));
});

/**
 * The same, described here: a table of `persona`, `goal`, `language`, `speaks`, `script` and the
 * other keys of a persona that hold one value.
 */
Given("a tester with:", function (this: SidetoneWorld, table: DataTable) {
  this.tester = personaOf(Object.fromEntries(table.raw()), "the tester");
});

/** Rules for each of the tester's calls: a list of YAML in a doc string (docs/ai-tester.md). */
Given("a call passes when:", function (this: SidetoneWorld, rules: string) {
  this.rules = readRules(rules);
});

/**
 * Places a call in which the tester speaks for the caller, and goes on when the call is over: the
 * tester, the bot or a limit ends it.
 */
When("the tester calls the bot", STEP, async function (this: SidetoneWorld) {
  await callByTester(this);
});

/** The same, so many times, one call after the other. */
When(
  "the tester calls the bot {int} times",
  REPEATS,
  async function (this: SidetoneWorld, times: number) {
    for (let call = 0; call < times; call += 1) {
      // oxlint-disable-next-line no-await-in-loop -- one call after the other.
      await callByTester(this);
    }
  },
);

/**
 * Of the tester's calls in this scenario so many pass: the goal is reached, and every rule of `Given
 * a call passes when:` holds. Says the rate and its Wilson interval.
 */
Then(
  "at least {int} of {int} calls pass",
  STEP,
  async function (this: SidetoneWorld, atLeast: number, of: number) {
    this.note(await expectPassRate(this.testerCalls, this.rules, { atLeast, of }));
  },
);

/** The tester says that it got what it wanted, within this time of the answer. */
Then(
  "the tester reaches its goal within {duration}",
  STEP,
  async function (this: SidetoneWorld, limitMs: number) {
    this.note(await expectGoal(this.call, limitMs, "reached"));
  },
);

/** The tester says that it did not get what it wanted, within this time of the answer. */
Then(
  "the tester misses its goal within {duration}",
  STEP,
  async function (this: SidetoneWorld, limitMs: number) {
    this.note(await expectGoal(this.call, limitMs, "missed"));
  },
);

/** The tester ended the call because of a limit of its persona: `turns`, `durationMs`, `costUsd`. */
Then(
  "the tester is stopped by its limit {word}",
  STEP,
  async function (this: SidetoneWorld, limit: string) {
    if (limit !== "turns" && limit !== "durationMs" && limit !== "costUsd") {
      throw new UsageError(
        "ERR_RULES_MALFORMED",
        `A tester has no limit "${limit}": turns, durationMs and costUsd are limits.`,
      );
    }
    this.note(await expectLimit(this.call, limit));
  },
);

/**
 * In the transcript of a tester's call the bot says this, or what fits a "/pattern/": as the tester
 * heard it. Case and punctuation do not count.
 */
Then(
  "the bot says {string} to the tester",
  STEP,
  async function (this: SidetoneWorld, says: string) {
    this.note(await expectRule(this.call, { says, by: "bot" }));
  },
);

/** The same of the tester's own words. */
Then("the tester says {string}", STEP, async function (this: SidetoneWorld, says: string) {
  this.note(await expectRule(this.call, { says, by: "caller" }));
});

/** The bot never says this in a tester's call, by what either AI wrote down. */
Then("the bot never says {string}", STEP, async function (this: SidetoneWorld, neverSays: string) {
  this.note(await expectRule(this.call, { neverSays, by: "bot" }));
});

/** The tester had to speak so often at most. */
Then(
  "the tester takes at most {int} turn(s)",
  STEP,
  async function (this: SidetoneWorld, turnsAtMost: number) {
    this.note(await expectRule(this.call, { turnsAtMost }));
  },
);

/** In a tester's call every answer of the bot is heard within this time of the tester's words. */
Then(
  "the bot answers the tester within {duration} each time",
  STEP,
  async function (this: SidetoneWorld, answersWithinMs: number) {
    this.note(await expectRule(this.call, { answersWithinMs }));
  },
);

async function callByTester(world: SidetoneWorld): Promise<void> {
  const run = await world.run();
  if (world.tester === undefined) {
    throw new UsageError(
      "ERR_NO_TESTER",
      'The scenario names no tester. Say who calls: Given the tester "…".',
    );
  }
  const tester = await run.tester(world.tester);
  await world.dial({ tester });
  world.testerCalls.push(world.call);
  await awaitTesterEnd(world.call);
}
