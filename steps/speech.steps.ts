import { Then, When } from "@cucumber/cucumber";
import {
  ExpectationError,
  expectAnswer,
  expectGreeting,
  expectHeard,
  expectKeepsQuiet,
  expectKeepsSpeaking,
  expectStop,
  type Speech,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

/** The longest utterance and the longest wait for the moment to speak it. */
const SPEAK_LIMIT_MS = 60_000;

/** Speaks a recorded phrase now; the step ends when its last packet has left. */
When("the caller says {string}", async function (this: SidetoneWorld, phrase: string) {
  await speak(this, { phrase });
});

/** Speaks once the bot has been heard speaking for this long. */
When(
  "the caller says {string} {duration} into the bot's answer",
  async function (this: SidetoneWorld, phrase: string, delayMs: number) {
    await speak(this, { phrase, start: { kind: "intoHeardSpeech", delayMs } });
  },
);

/** The same, and counts as an interruption: the bot should stop. */
When(
  "the caller interrupts with {string} {duration} into the bot's answer",
  async function (this: SidetoneWorld, phrase: string, delayMs: number) {
    const start = { kind: "intoHeardSpeech", delayMs } as const;
    await speak(this, { phrase, purpose: "interruption", start });
  },
);

/** The same, and counts as a backchannel: the bot should go on. */
When(
  "the caller gives the backchannel {string} {duration} into the bot's answer",
  async function (this: SidetoneWorld, phrase: string, delayMs: number) {
    const start = { kind: "intoHeardSpeech", delayMs } as const;
    await speak(this, { phrase, purpose: "backchannel", start });
  },
);

/** The same, and counts as a cough or an "um": the bot should go on. */
When(
  "the caller only utters {string} {duration} into the bot's answer",
  async function (this: SidetoneWorld, phrase: string, delayMs: number) {
    const start = { kind: "intoHeardSpeech", delayMs } as const;
    await speak(this, { phrase, purpose: "vocalTic", start });
  },
);

/** Words that are not for the bot, said over it: it should go on. */
When(
  "the caller says {string} to somebody else {duration} into the bot's answer",
  async function (this: SidetoneWorld, phrase: string, delayMs: number) {
    const start = { kind: "intoHeardSpeech", delayMs } as const;
    await speak(this, { phrase, purpose: "sideSpeech", start });
  },
);

/** Words that are not for the bot, said now: a silent bot should keep quiet. */
When(
  "the caller says {string} to somebody else",
  async function (this: SidetoneWorld, phrase: string) {
    await speak(this, { phrase, purpose: "sideSpeech" });
  },
);

/** The bot speaks first, heard within this time of 200 OK. */
Then("the bot greets within {duration}", async function (this: SidetoneWorld, limitMs: number) {
  this.note(await expectGreeting(this.call, limitMs));
});

/** The bot's answer to the caller's last words is heard within this time of their end. */
Then("the bot answers within {duration}", async function (this: SidetoneWorld, limitMs: number) {
  this.note(await expectAnswer(this.call, limitMs));
});

/** The bot falls silent, as heard, within this time of the onset of the last interruption. */
Then(
  "the bot stops speaking within {duration}",
  async function (this: SidetoneWorld, limitMs: number) {
    this.note(await expectStop(this.call, limitMs));
  },
);

/** The last backchannel, cough or words for somebody else did not make the bot stop within 1.0 s. */
Then("the bot keeps speaking", async function (this: SidetoneWorld) {
  this.note(await expectKeepsSpeaking(this.call));
});

/** The bot was silent, and does not answer words for somebody else within 2.0 s of their end. */
Then("the bot keeps quiet", async function (this: SidetoneWorld) {
  this.note(await expectKeepsQuiet(this.call));
});

/**
 * This recorded phrase of the bot is recognised in the audio that came after the caller's last
 * words.
 */
Then("the caller hears {string}", async function (this: SidetoneWorld, phrase: string) {
  const run = await this.run();
  this.note(await expectHeard(this.call, phrase, run.harness.voices));
});

async function speak(world: SidetoneWorld, speech: Speech): Promise<void> {
  const { harness } = await world.run();
  const utteranceId = await harness.say(world.call, speech);
  if (await harness.spoken(world.call, utteranceId, SPEAK_LIMIT_MS)) return;
  throw new ExpectationError(
    "ERR_NOT_SPOKEN",
    world.call.hasEnded
      ? "The call ended before the caller could say that."
      : "The moment for the caller to say that did not come: the bot was not heard speaking.",
  );
}
