import { Given, Then, When } from "@cucumber/cucumber";
import {
  expectBound,
  expectRegistered,
  expectRegistrationRefused,
  expectUnregistered,
  type Party,
  passwordFrom,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

// Passwords stand in environment variables, which a step names. They come into no report.

/** The realm of whoever demands an account in a step. */
const OUR_REALM = "sidetone";

/** Who asks this side for credentials is given this user, with the password in that variable. */
Given(
  "the {party} has the account {string} with the password in {string}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, party: Party, user: string, variable: string) {
    await this.useAccount(party, { user, password: passwordFrom(variable) });
  },
);

/** The same, for one realm only. */
Given(
  "the {party} has the account {string} for the realm {string} with the password in {string}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (
    this: SidetoneWorld,
    party: Party,
    user: string,
    realm: string,
    variable: string,
  ) {
    await this.useAccount(party, { user, realm, password: passwordFrom(variable) });
  },
);

/** Our bot takes calls of this user only: others are asked for credentials (401). */
Given(
  "the bot demands the account {string} with the password in {string}",
  async function (this: SidetoneWorld, user: string, variable: string) {
    const users = [{ user, password: passwordFrom(variable) }];
    await this.wantAgent("bot", { demand: { realm: OUR_REALM, users } });
  },
);

/** Starts a small registrar of ours on this machine, with a port that is free. */
Given("a registrar of ours", async function (this: SidetoneWorld) {
  await this.startRegistrar({});
});

/** The same on this port, for a bot that has to be told where to register. */
Given("a registrar of ours on port {int}", async function (this: SidetoneWorld, port: number) {
  await this.startRegistrar({ port });
});

/** The same with a free port; it registers this user only, with the password in that variable. */
Given(
  "a registrar of ours that demands the account {string} with the password in {string}",
  async function (this: SidetoneWorld, user: string, variable: string) {
    const users = [{ user, password: passwordFrom(variable) }];
    await this.startRegistrar({ demand: { realm: OUR_REALM, users } });
  },
);

/** Registers this side, as its user ("caller", "bot"), and goes on at once. */
When("the {party} registers at our registrar", async function (this: SidetoneWorld, party: Party) {
  await this.register(party, this.registrar.uri);
});

/** Registers this side at a registrar or domain, a SIP URI, and goes on at once. */
When(
  "the {party} registers at {string}",
  async function (this: SidetoneWorld, party: Party, registrar: string) {
    await this.register(party, registrar);
  },
);

/** The same with an address of its own (AOR), a SIP URI: "sip:4711@pbx.example". */
When(
  "the {party} registers {string} at {string}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, party: Party, aor: string, registrar: string) {
    await this.register(party, registrar, aor);
  },
);

/** Takes the registration back. */
When("the {party} unregisters", async function (this: SidetoneWorld, party: Party) {
  await this.registeringAgent(party).unregister();
});

/** The registrar has accepted it. */
Then(
  "the {party} is registered within {duration}",
  async function (this: SidetoneWorld, party: Party, limitMs: number) {
    this.note(await expectRegistered(this.registeringAgent(party), limitMs));
  },
);

/** The registrar has taken it back. */
Then(
  "the {party} is not registered any more within {duration}",
  async function (this: SidetoneWorld, party: Party, limitMs: number) {
    this.note(await expectUnregistered(this.registeringAgent(party), limitMs));
  },
);

/** The registrar refuses it for good, with this status. */
Then(
  "the registration of the {party} is refused with {int} within {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, party: Party, statusCode: number, limitMs: number) {
    const agent = this.registeringAgent(party);
    this.note(await expectRegistrationRefused(agent, { statusCode, limitMs }));
  },
);

/** It is given up for good with this code ([errors.md](errors.md)). */
Then(
  "the registration of the {party} fails with {string} within {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, party: Party, code: string, limitMs: number) {
    const agent = this.registeringAgent(party);
    this.note(await expectRegistrationRefused(agent, { code, limitMs }));
  },
);

/**
 * Somebody registers with our registrar as this user. From now on that is whom the caller dials, so a
 * bot under test needs no address of its own.
 */
Then(
  "the bot is registered at our registrar as {string} within {duration}",
  async function (this: SidetoneWorld, user: string, limitMs: number) {
    this.target = await expectBound(this.registrar, user, limitMs);
    this.note(`the bot is called at ${this.target}`);
  },
);
