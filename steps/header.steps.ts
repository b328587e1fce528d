import { Given, Then, When } from "@cucumber/cucumber";
import {
  ANONYMOUS,
  expectByeFrom,
  expectHeader,
  expectRejectedWith,
  type FaultyMessage,
  type Party,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

/** How long a message may be waited for whose header is looked at. */
const MESSAGE_LIMIT_MS = 5000;
const RING_TIMEOUT_MS = 30_000;

// What is set holds for calls that begin after the step, up to the scenario's end.

/** A header line for the INVITE: "X-Foo: bar", "P-Asserted-Identity: <tel:+15550100>", …. */
Given("the caller sends the header {string}", function (this: SidetoneWorld, line: string) {
  this.callerHeaders = [...this.callerHeaders, line];
});

/** A header line for every response of our bot to the INVITE: 18x, 200 or refusal. */
Given("the bot sends the header {string}", async function (this: SidetoneWorld, line: string) {
  await this.sendBotHeader(line);
});

/** The From header, with or without a name: "Ann <sip:ann@example.com>", "<tel:+15550100>". */
Given("the caller calls as {string}", function (this: SidetoneWorld, from: string) {
  this.callerIdentity = { ...this.callerIdentity, from };
});

/** The To header, where it is not the bot's address. */
Given("the caller addresses the call to {string}", function (this: SidetoneWorld, to: string) {
  this.callerIdentity = { ...this.callerIdentity, to };
});

/** The Request-URI, e.g. "tel:+15550100"; the INVITE goes to the bot all the same, by a Route. */
Given("the caller asks for {string}", function (this: SidetoneWorld, requestUri: string) {
  this.callerIdentity = { ...this.callerIdentity, requestUri };
});

/** An anonymous From, and Privacy: id (RFC 3323, RFC 3325). */
Given("the caller withholds its identity", function (this: SidetoneWorld) {
  this.callerIdentity = { ...this.callerIdentity, from: ANONYMOUS };
  this.callerHeaders = [...this.callerHeaders, "Privacy: id"];
});

/** From now on our bot refuses every call with this status and phrase. */
Given(
  "the bot refuses calls with {int} {string}",
  async function (this: SidetoneWorld, statusCode: number, reasonPhrase: string) {
    await this.letBotRefuse({ kind: "reject", statusCode, reasonPhrase });
  },
);

/** Ends the call with a header line in BYE, CANCEL or refusal: "Reason: Q.850;cause=16". */
When(
  "the {party} hangs up with the header {string}",
  async function (this: SidetoneWorld, party: Party, line: string) {
    await this.call.hangUp(party, [line]);
  },
);

/** The message that this side receives has the header with exactly this value (or one of several). */
Then(
  "the {party} receives the header {string} with {string} in the {sipMessage}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (
    this: SidetoneWorld,
    party: Party,
    header: string,
    text: string,
    message: FaultyMessage,
  ) {
    const wanted = { kind: "value", text } as const;
    const limitMs = MESSAGE_LIMIT_MS;
    this.note(await expectHeader(this.call, { party, message, header, wanted, limitMs }));
  },
);

/** The same, with a value that matches a regular expression: /^Q\.850/. */
Then(
  "the {party} receives the header {string} matching {pattern} in the {sipMessage}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (
    this: SidetoneWorld,
    party: Party,
    header: string,
    pattern: RegExp,
    message: FaultyMessage,
  ) {
    const wanted = { kind: "pattern", pattern } as const;
    const limitMs = MESSAGE_LIMIT_MS;
    this.note(await expectHeader(this.call, { party, message, header, wanted, limitMs }));
  },
);

/** The same for a part of an address: its `URI` without header parameters, or its `display name`. */
Then(
  "the {party} receives the {addressPart} {string} in the header {string} of the {sipMessage}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (
    this: SidetoneWorld,
    party: Party,
    kind: "URI" | "display name",
    text: string,
    header: string,
    message: FaultyMessage,
  ) {
    const wanted = { kind, text };
    const limitMs = MESSAGE_LIMIT_MS;
    this.note(await expectHeader(this.call, { party, message, header, wanted, limitMs }));
  },
);

/** The message that this side receives does not have the header. */
Then(
  "the {party} receives no header {string} in the {sipMessage}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, party: Party, header: string, message: FaultyMessage) {
    const wanted = { kind: "absent" } as const;
    const limitMs = MESSAGE_LIMIT_MS;
    this.note(await expectHeader(this.call, { party, message, header, wanted, limitMs }));
  },
);

/** The BYE that ends the call is this side's. */
Then(
  "the BYE comes from the {party} within {duration}",
  async function (this: SidetoneWorld, party: Party, limitMs: number) {
    this.note(await expectByeFrom(this.call, party, limitMs));
  },
);

/** The call was refused with this final status and this phrase. */
Then(
  "the call is rejected with {int} {string}",
  async function (this: SidetoneWorld, statusCode: number, phrase: string) {
    this.note(await expectRejectedWith(this.call, { statusCode, phrase }, RING_TIMEOUT_MS));
    this.expectedRefusals.add(this.call);
  },
);
