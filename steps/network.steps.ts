import { Given, Then, When } from "@cucumber/cucumber";
import {
  burstyLoss,
  expectNetworkLoss,
  expectSipLoss,
  type NetworkDirection,
  networkProfile,
  type Party,
} from "../src/index.ts";
import type { SidetoneWorld } from "./world.ts";

// What a network does to the RTP and RTCP of a side that is ours: of the call that is up, from the
// step on, and of calls that begin after it; SIP has steps of its own. "To" a side is what it receives, "from"
// it what it sends. Steps add up; a named network takes the place of all before it.

/**
 * Both directions of this side go over a network that has a name: `good Wi-Fi`, `congested Wi-Fi`,
 * `LTE`, `3G`, `satellite`, `transatlantic`, `unmanaged Internet` ([network.md](network.md)).
 */
Given(
  "the {party} is behind the network {string}",
  async function (this: SidetoneWorld, party: Party, name: string) {
    const { sent = {}, received = {}, about } = networkProfile(name);
    await this.useNetwork(party, { sent, received });
    this.note(about);
  },
);

/** Each packet by itself, whatever became of those before it. */
Given(
  "{float} % of the packets {networkWay} the {party} are lost",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, percent: number, way: NetworkDirection, party: Party) {
    await this.wantNetwork(party, way, {
      loss: { kind: "bernoulli", lossRatio: percent / 100 },
    });
  },
);

/** The same share, but so many in a row in the mean (Gilbert's model). */
Given(
  "{float} % of the packets {networkWay} the {party} are lost in bursts of {float}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (
    this: SidetoneWorld,
    percent: number,
    way: NetworkDirection,
    party: Party,
    burst: number,
  ) {
    await this.wantNetwork(party, way, { loss: burstyLoss(percent / 100, burst) });
  },
);

/** These packets and no others, counted from 1 since the step; RTCP counts, too. */
Given(
  "packets {int} to {int} {networkWay} the {party} are lost",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (
    this: SidetoneWorld,
    first: number,
    last: number,
    way: NetworkDirection,
    party: Party,
  ) {
    await this.wantNetwork(party, way, { loss: { kind: "scripted", lost: [[first, last]] } });
  },
);

/** Nothing comes through for so long, then all is as before. */
When(
  "all packets {networkWay} the {party} are lost for {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, way: NetworkDirection, party: Party, durationMs: number) {
    const settings = { loss: { kind: "bernoulli", lossRatio: 1 } } as const;
    await this.wantNetwork(party, way, { changes: [{ atMs: 0, durationMs, settings }] });
  },
);

/** One way, each of them the same. */
Given(
  "packets {networkWay} the {party} take {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, way: NetworkDirection, party: Party, delayMs: number) {
    await this.wantNetwork(party, way, { delay: { delayMs } });
  },
);

/** One way; normally distributed, with this standard deviation: packets overtake each other. */
Given(
  "packets {networkWay} the {party} take {duration} with {duration} of jitter",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (
    this: SidetoneWorld,
    way: NetworkDirection,
    party: Party,
    delayMs: number,
    jitterMs: number,
  ) {
    await this.wantNetwork(party, way, { delay: { delayMs, jitterMs } });
  },
);

/** So many arrive twice. */
Given(
  "{float} % of the packets {networkWay} the {party} come twice",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, percent: number, way: NetworkDirection, party: Party) {
    await this.wantNetwork(party, way, { duplicateRatio: percent / 100 });
  },
);

/** So many arrive with a wrong bit. */
Given(
  "{float} % of the packets {networkWay} the {party} are corrupted",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, percent: number, way: NetworkDirection, party: Party) {
    await this.wantNetwork(party, way, { corruptRatio: percent / 100 });
  },
);

/** So many do not wait for the delay that the others have, and overtake them. */
Given(
  "{float} % of the packets {networkWay} the {party} overtake others",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, percent: number, way: NetworkDirection, party: Party) {
    await this.wantNetwork(party, way, { reorderRatio: percent / 100 });
  },
);

/** A bottleneck with a queue of 200 ms, at least ten packets; what does not fit is dropped. */
Given(
  "at most {float} kbit/s get {networkWay} the {party}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, kbitPerS: number, way: NetworkDirection, party: Party) {
    await this.wantNetwork(party, way, { rate: { bitsPerSecond: kbitPerS * 1000 } });
  },
);

/** Nothing is done to its packets any more. */
When("the network of the {party} is healthy", async function (this: SidetoneWorld, party: Party) {
  await this.useNetwork(party, { sent: { changes: [] }, received: { changes: [] } });
});

/**
 * Each message of its SIP over UDP by itself, in all of its calls; retransmissions, too. SIP over
 * TCP, TLS and WebSocket is spared.
 */
Given(
  "{float} % of the SIP messages {networkWay} the {party} are lost",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, percent: number, way: NetworkDirection, party: Party) {
    await this.wantSipNetwork(party, way, {
      loss: { kind: "bernoulli", lossRatio: percent / 100 },
    });
  },
);

/** These of the messages of its SIP over UDP and no others, counted from 1 since the step. */
Given(
  "SIP messages {int} to {int} {networkWay} the {party} are lost",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (
    this: SidetoneWorld,
    first: number,
    last: number,
    way: NetworkDirection,
    party: Party,
  ) {
    await this.wantSipNetwork(party, way, { loss: { kind: "scripted", lost: [[first, last]] } });
  },
);

/** One way, each of them the same; SIP over UDP alone. */
Given(
  "SIP messages {networkWay} the {party} take {duration}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, way: NetworkDirection, party: Party, delayMs: number) {
    await this.wantSipNetwork(party, way, { delay: { delayMs } });
  },
);

/** So many arrive twice; SIP over UDP alone. */
Given(
  "{float} % of the SIP messages {networkWay} the {party} come twice",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, percent: number, way: NetworkDirection, party: Party) {
    await this.wantSipNetwork(party, way, { duplicateRatio: percent / 100 });
  },
);

/** Both directions of this side's SIP over UDP go over a network that has a name. */
Given(
  "the SIP of the {party} is behind the network {string}",
  async function (this: SidetoneWorld, party: Party, name: string) {
    const { sent = {}, received = {}, about } = networkProfile(name);
    await this.useSipNetwork(party, { sent, received });
    this.note(about);
  },
);

/** While the call was up, in what this side sent or received. The call must be over. */
Then(
  "the network lost at least {int} SIP message(s) {networkWay} the {party}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, atLeast: number, way: NetworkDirection, party: Party) {
    this.note(await expectSipLoss(this.call, { party, direction: way, atLeast }));
  },
);

/** What the injured network did of itself, so that a scenario knows its fault. The call must be over. */
Then(
  "the network lost at least {float} % of the packets {networkWay} the {party}",
  // oxlint-disable-next-line max-params -- cucumber hands over each parameter of the phrase.
  async function (this: SidetoneWorld, percent: number, way: NetworkDirection, party: Party) {
    this.note(
      await expectNetworkLoss(this.call, { party, direction: way, atLeastPercent: percent }),
    );
  },
);
