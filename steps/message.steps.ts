import { Then, When } from "@cucumber/cucumber";
import { expectOptionsAnswer, expectText, expectTextOutside, type Party } from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

/** Sends a text by SIP MESSAGE (RFC 3428) within the call; the other side has to take it. */
When(
  "the {party} sends the message {string}",
  async function (this: SidetoneWorld, party: Party, text: string) {
    await this.call.sendText(text, party);
  },
);

/** Sends a text by SIP MESSAGE outside of any call; the bot has to take it. */
When(
  "the caller sends the message {string} outside of a call",
  async function (this: SidetoneWorld, text: string) {
    const caller = await this.caller();
    await caller.sendMessage(this.requireTarget(), text);
  },
);

/** The reverse: our bot writes to the caller. */
When(
  "the bot sends the message {string} outside of a call",
  async function (this: SidetoneWorld, text: string) {
    const caller = await this.caller();
    await this.botAgent.sendMessage(caller.uri, text);
  },
);

/** This text has come to this side within the call, or comes within this time. */
Then(
  "the {party} receives the message {string} within {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, party: Party, text: string, limitMs: number) {
    this.note(await expectText(this.call, { party, text, limitMs }));
  },
);

/** This text has come to this side outside of calls since the scenario began, or comes in time. */
Then(
  "the {party} receives the message {string} outside of a call within {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, party: Party, text: string, limitMs: number) {
    const agent = party === "bot" ? this.botAgent : await this.caller();
    const from = this.begunAt;
    this.note(await expectTextOutside(agent, { party, text, limitMs, from }));
  },
);

/** Asks the other side with OPTIONS, within the call, what it can do. */
When(
  "the {party} asks the other side for its capabilities",
  async function (this: SidetoneWorld, party: Party) {
    await this.call.queryOptions(party);
  },
);

/** The answer to OPTIONS within the call has this status. */
Then(
  "the {party} answers OPTIONS with {int} within {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, party: Party, statusCode: number, limitMs: number) {
    this.note(await expectOptionsAnswer(this.call, { party, statusCode, limitMs }));
  },
);

/** The answer to OPTIONS within the call says in its Allow header that this method is known. */
Then(
  "the {party} says that it allows {sipMessage} within {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, party: Party, method: string | number, limitMs: number) {
    const allows = String(method);
    this.note(await expectOptionsAnswer(this.call, { party, allows, limitMs }));
  },
);
