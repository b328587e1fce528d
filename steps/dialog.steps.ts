import { Given, Then, When } from "@cucumber/cucumber";
import {
  expectEarlyMedia,
  expectRedirected,
  expectSessionRefresh,
  type Party,
  type SessionTimerSettings,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

// What is wanted of the signalling holds for calls that begin after the step, up to the scenario's
// end.

/** While it rings, our bot sends the ringback tone: media flow before the answer. */
Given("the bot sends early media", async function (this: SidetoneWorld) {
  await this.letBotAnswer({ earlyMedia: "ringback" });
});

/** Calls without reliable provisional responses (RFC 3262) do not come up. */
Given(
  "the {party} requires reliable provisional responses",
  async function (this: SidetoneWorld, party: Party) {
    await this.wantDialog(party, { reliableProvisional: "required" });
  },
);

/** Neither asks for reliable provisional responses nor acknowledges them. */
Given(
  "the {party} has no reliable provisional responses",
  async function (this: SidetoneWorld, party: Party) {
    await this.wantDialog(party, { reliableProvisional: "off" });
  },
);

/**
 * Asks for a session timer (RFC 4028) with this interval. Below 90 s it works among our own
 * parties only.
 */
Given(
  "the {party} asks for a session timer of {duration}",
  async function (this: SidetoneWorld, party: Party, intervalMs: number) {
    const intervalS = intervalMs / 1000;
    const minIntervalS = Math.min(90, intervalS);
    const sessionTimer: SessionTimerSettings = { intervalS, minIntervalS };
    await this.wantDialog("caller", { sessionTimer: { ...sessionTimer } });
    if (this.bot !== undefined) await this.wantDialog("bot", { sessionTimer: { minIntervalS } });
    await this.wantDialog(party, { sessionTimer });
  },
);

/** Where the bot answers a call with 3xx, the caller calls its Contacts. */
Given("the caller follows redirections", async function (this: SidetoneWorld) {
  await this.wantDialog("caller", { redirects: "follow" });
});

/** From now on our bot sends callers elsewhere (302): SIP URIs, with commas between them. */
Given(
  "the bot redirects calls to {string}",
  async function (this: SidetoneWorld, contacts: string) {
    await this.letBotRefuse({
      kind: "redirect",
      contacts: contacts.split(",").map((contact) => contact.trim()),
    });
  },
);

/** Offers the media anew by UPDATE (RFC 3311), as they are. */
When("the {party} updates the call", async function (this: SidetoneWorld, party: Party) {
  await this.call.changeMedia({ method: "UPDATE" }, party);
});

/** Media were agreed on at the caller before the call was answered. */
Then("the caller gets early media", async function (this: SidetoneWorld) {
  this.note(await expectEarlyMedia(this.call, 5000));
});

/** After the first one, a session timer comes into force again, by a refresh of this side. */
Then(
  "the session timer is refreshed by the {party} within {duration}",
  async function (this: SidetoneWorld, party: Party, limitMs: number) {
    this.note(await expectSessionRefresh(this.call, party, limitMs));
  },
);

/** The caller followed a 3xx to another target. */
Then("the call is redirected", async function (this: SidetoneWorld) {
  this.note(await expectRedirected(this.call, 5000));
});
